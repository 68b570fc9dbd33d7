// What costs an hour when nobody says it: hints, and the mistakes that are none of one value.

#include "conf/shadowed_routes.h"
#include "tests/unit/conf/least.h"

using namespace fairlead::conf;
using fairlead::conf::test::kLeast;
using fairlead::conf::test::load;
using fairlead::conf::test::messages;
using fairlead::conf::test::no_environment;
using fairlead::conf::test::problem_with;
using Lines = std::vector<std::string>;

namespace {

const std::string kBackend = "[[backend]]\nname = \"b\"\nservers = [\"10.0.0.1:80\"]\n";

LoadResult routes(const std::string& text) {
  return load("[[listener]]\naddress = \"127.0.0.1:1\"\n" + text + kBackend);
}

Lines hints(const std::string& text) {
  const LoadResult result = load(text);
  REQUIRE(messages(result).empty());
  return result.hints;
}

std::string listener(const std::string& address, const std::string& more = "") {
  return "[[listener]]\naddress = \"" + address + "\"\n" + more;
}

}  // namespace

TEST_CASE("hints: a path is no pattern", "[conf][hints]") {
  const auto path = [](const std::string& text) {
    const auto all = messages(routes("[[route]]\npath = \"" + text + "\"\nbackend = \"b\"\n"));
    return all.empty() ? "" : all.front();
  };
  const std::string begin =
      "f:4:8: route 1: path: is a prefix, not a pattern, and \"*\" stands for itself: ";
  CHECK(path("/x/*") == begin + "\"/x\" takes all below it");
  CHECK(path("/x*") == begin + "\"/x\" takes all below it");
  CHECK(path("/*") == begin + "\"/\" takes all below it");
  CHECK(path("/x/**") == begin + "\"/x\" takes all below it");
  CHECK(path("/x/*/y") == begin + "\"/x\" takes all below it");
  CHECK(path("/a*b/c").empty());
  CHECK(path("/x/").empty());
}

TEST_CASE("hints: a route no request gets to", "[conf][hints]") {
  const auto problems = [](const std::string& first, const std::string& second) {
    return messages(routes("[[route]]\nname = \"one\"\nbackend = \"b\"\n" + first +
                           "[[route]]\nname = \"two\"\nbackend = \"b\"\n" + second));
  };
  const auto two = [](unsigned line) {
    return Lines{"f:" + std::to_string(line) +
                 ":1: route \"two\": no request gets here: the route \"one\" (f:3) is tried first "
                 "and takes the same"};
  };
  CHECK(problems("", "") == two(6));
  CHECK(problems("path = \"/x\"\n", "path = \"/x/\"\n") == two(7));
  CHECK(problems("hosts = [\"a\", \"c\"]\n", "hosts = [\"A.\"]\n") == two(7));
  CHECK(problems("", "kind = \"any\"\n") == two(6));
  CHECK(problems("subprotocols = [\"a\", \"b\"]\n", "subprotocols = [\"b\"]\n") == two(7));
  // These are told apart.
  CHECK(problems("", "kind = \"http\"\n").empty());
  CHECK(problems("", "path = \"/x\"\n").empty());
  CHECK(problems("", "hosts = [\"a\"]\n").empty());
  CHECK(problems("hosts = [\"*.a\"]\n", "hosts = [\"x.a\"]\n").empty());
  CHECK(problems("", "subprotocols = [\"b\"]\n").empty());
  CHECK(problems("subprotocols = [\"a\"]\n", "subprotocols = [\"a\", \"b\"]\n").empty());
  CHECK(problems("kind = \"http\"\n", "").empty());
}

TEST_CASE("hints: a route whose kinds two others take", "[conf][hints]") {
  const auto result = routes(
      "[[route]]\nname = \"any\"\nbackend = \"b\"\n"
      "[[route]]\nname = \"ws\"\nbackend = \"b\"\nkind = \"websocket\"\n"
      "[[route]]\nname = \"web\"\nbackend = \"b\"\nkind = \"http\"\n");
  REQUIRE(messages(result).size() == 1);
  CHECK(messages(result)[0].rfind("f:3:1: route \"any\": no request gets here: ", 0) == 0);
}

TEST_CASE("hints: subprotocols of plain requests", "[conf][hints]") {
  const auto all =
      messages(routes("[[route]]\nbackend = \"b\"\nkind = \"http\"\nsubprotocols = [\"a\"]\n"));
  CHECK(all == Lines{"f:6:16: route 1: subprotocols: no request gets here: one of kind \"http\" "
                     "offers none"});
}

TEST_CASE("hints: one host of several that another route takes", "[conf][hints]") {
  const auto result = routes(
      "[[route]]\nname = \"one\"\nbackend = \"b\"\nhosts = [\"a\"]\n"
      "[[route]]\nname = \"two\"\nbackend = \"b\"\nhosts = [\"a\", \"c\"]\n");
  CHECK(messages(result).empty());
  CHECK(result.hints ==
        Lines{"f:10:9: route \"two\": hosts: no request for \"a\" gets here: the route \"one\" "
              "(f:3) is tried first and takes the same"});
}

TEST_CASE("hints: any beside other origins", "[conf][hints]") {
  const auto all =
      messages(routes("[[route]]\nbackend = \"b\"\norigins = [\"same-origin\", \"any\"]\n"));
  REQUIRE(all.size() == 1);
  CHECK(all[0].rfind("f:5:11: route 1: origins: \"any\" switches the check off", 0) == 0);
  CHECK(messages(routes("[[route]]\nbackend = \"b\"\norigins = [\"any\"]\n")).empty());
}

TEST_CASE("hints: a backend nobody uses", "[conf][hints]") {
  CHECK(hints(listener("unix:/a") + "[[route]]\nbackend = \"b\"\n" + kBackend +
              "[[backend]]\nname = \"spare\"\nservers = [\"10.0.0.2:80\"]\n") ==
        Lines{"f:8:1: backend \"spare\": no route leads to it"});
}

TEST_CASE("hints: an include that matches nothing", "[conf][hints]") {
  const auto all = hints("include = [\"conf.d/*.toml\"]\n" + listener("unix:/a") +
                         "[[route]]\nbackend = \"b\"\n" + kBackend);
  CHECK(all == Lines{"f:1:12: include: \"conf.d/*.toml\" matches no file"});
}

TEST_CASE("hints: a key that everybody may read", "[conf][hints]") {
  fairlead::conf::test::MemoryFiles files({{"c.pem", "cert"}, {"k.pem", "key"}});
  files.set_world_readable("c.pem");
  const std::string text =
      listener("0.0.0.0:443", "tls.certificates = [{ cert = \"c.pem\", key = \"k.pem\" }]\n") +
      "[[route]]\nbackend = \"b\"\nlimits.connections_per_ip = 5\n" + kBackend;
  CHECK(load_text(text, "f", no_environment, files).hints.empty());
  files.set_world_readable("k.pem");
  CHECK(load_text(text, "f", no_environment, files).hints ==
        Lines{"f:3:45: listener 1: tls: certificates: key: \"k.pem\" can be read by everyone on "
              "this machine"});
}

TEST_CASE("hints: proxies that are everybody", "[conf][hints]") {
  const auto trusted = [](const std::string& address, const std::string& networks) {
    return hints(listener(address, "trusted_proxies = [" + networks + "]\n") +
                 "[[route]]\nbackend = \"b\"\nlimits.connections_per_ip = 5\n" + kBackend)
        .size();
  };
  for (const char* wide : {"\"0.0.0.0/0\"", "\"::/0\"", "\"128.0.0.0/1\"", "\"::ffff:0:0/96\"",
                           "\"2000::/3\"", "\"10.0.0.1\", \"0.0.0.0/0\""}) {
    CAPTURE(wide);
    CHECK(trusted("0.0.0.0:80", wide) == 1);
    CHECK(trusted("127.0.0.1:80", wide) == 0);
    CHECK(trusted("unix:/a", wide) == 0);
  }
  for (const char* narrow : {"\"10.0.0.0/8\"", "\"fc00::/7\"", "\"fe80::/10\"", "\"2001:db8::/32\"",
                             "\"172.16.0.0/12\"", "\"::1\""}) {
    CAPTURE(narrow);
    CHECK(trusted("0.0.0.0:80", narrow) == 0);
  }
}

TEST_CASE("hints: same-origin without hosts where names can be rebound", "[conf][hints]") {
  const auto rebound = [](const std::string& address, const std::string& more,
                          const std::string& route) {
    return hints(listener(address, more) +
                 "[[route]]\nbackend = \"b\"\nlimits.connections_per_ip = 5\n" + route + kBackend);
  };
  CHECK(rebound("127.0.0.1:80", "", "") ==
        Lines{"f:3:1: route 1: without hosts, \"same-origin\" lets in a page whose name is made to "
              "lead to 127.0.0.1:80 (DNS rebinding): list the hosts it is served under"});
  for (const char* near : {"10.1.2.3:80", "192.168.0.1:80", "[::1]:80", "[fd00::1]:80"})
    CHECK(rebound(near, "", "").size() == 1);
  for (const char* far : {"0.0.0.0:80", "[::]:80", "192.0.2.1:80", "unix:/a"})
    CHECK(rebound(far, "", "").empty());
  CHECK(rebound("127.0.0.1:80", "", "hosts = [\"a.test\"]\n").empty());
  CHECK(rebound("127.0.0.1:80", "", "origins = [\"https://a.test\"]\n").empty());
  CHECK(rebound("127.0.0.1:80", "", "kind = \"http\"\n").empty());
  CHECK(rebound("127.0.0.1:80", "trusted_proxies = [\"10.0.0.1\"]\n", "").empty());
  CHECK(rebound("127.0.0.1:80", "tls.certificates = [{ cert = \"c.pem\", key = \"k.pem\" }]\n", "")
            .empty());
}
