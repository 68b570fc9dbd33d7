#include "conf/check.h"

#include "tests/support/catch.h"
#include "tests/unit/conf/memory_files.h"

using namespace fairlead::conf;
using fairlead::conf::test::FileMap;
using fairlead::conf::test::MemoryFiles;
using fairlead::conf::test::messages;
using fairlead::conf::test::no_environment;

namespace {

const std::string kRest = R"([[route]]
name = "r"
backend = "b"
limits.connections_per_ip = 5
[[backend]]
name = "b"
servers = ["a:1"]
)";

LoadResult load(const std::string& text) {
  MemoryFiles files(FileMap{{"c", "x"}, {"open", "0123456789abcdef"}});
  files.set_world_readable("open");
  return load_text(text, "f", no_environment, files);
}

bool overlap(const std::string& first, const std::string& second) {
  const LoadResult result = load("[[listener]]\naddress = \"" + first +
                                 "\"\n[[listener]]\naddress = \"" + second + "\"\n" + kRest);
  if (result.problems.empty()) return false;
  REQUIRE(messages(result).size() == 1);
  REQUIRE(messages(result)[0].substr(0, 54) ==
          "f:4:11: listener 2: address: overlaps with listener 1 ");
  return true;
}

}  // namespace

TEST_CASE("check: listeners may not overlap", "[conf][check]") {
  REQUIRE(overlap("1.2.3.4:80", "1.2.3.4:80"));
  REQUIRE(overlap("0.0.0.0:80", "1.2.3.4:80"));
  REQUIRE(overlap("1.2.3.4:80", "0.0.0.0:80"));
  REQUIRE(overlap("[::]:80", "1.2.3.4:80"));
  REQUIRE(overlap("[::]:80", "0.0.0.0:80"));
  REQUIRE(overlap("[::1]:80", "[::]:80"));
  REQUIRE(overlap("unix:/a", "unix:/a"));
  REQUIRE_FALSE(overlap("1.2.3.4:80", "1.2.3.4:81"));
  REQUIRE_FALSE(overlap("1.2.3.4:80", "1.2.3.5:80"));
  REQUIRE_FALSE(overlap("0.0.0.0:80", "[::1]:80"));
  REQUIRE_FALSE(overlap("127.0.0.1:0", "127.0.0.1:0"));
  REQUIRE_FALSE(overlap("unix:/a", "unix:/b"));
}

TEST_CASE("check: the admin endpoint needs an address of its own, and a token off loopback",
          "[conf][check]") {
  const auto problems = [](const std::string& lines) {
    return messages(
        load("[admin]\n" + lines + "[[listener]]\naddress = \"127.0.0.1:80\"\n" + kRest));
  };
  const std::vector<std::string> none;
  REQUIRE(problems("").empty());
  REQUIRE(problems("listen = \"127.0.0.1:9180\"\n") == none);
  REQUIRE(problems("listen = \"[::1]:9180\"\n") == none);
  REQUIRE(problems("listen = \"unix:/a\"\n") == none);
  REQUIRE(problems("listen = \"10.0.0.1:9180\"\ntoken_file = \"open\"\n") == none);
  REQUIRE(problems("listen = \"10.0.0.1:9180\"\n") ==
          std::vector<std::string>{"f:2:10: admin: listen: \"10.0.0.1:9180\" is open to other "
                                   "machines: this needs token_file"});
  REQUIRE(problems("listen = \"127.0.0.1:80\"\n") ==
          std::vector<std::string>{"f:2:10: admin: listen: overlaps with the listener "
                                   "\"127.0.0.1:80\" (f:4)"});
  // Who holds that one may act.
  REQUIRE(problems("token_file = \"open\"\nread_token_file = \"open\"\n") ==
          std::vector<std::string>{"f:3:19: admin: read_token_file: holds the token of token_file, "
                                   "which may act"});
}

TEST_CASE("check: what contradicts itself in a listener", "[conf][check]") {
  const auto problem = [](const std::string& lines) {
    const auto all = messages(load("[[listener]]\naddress = \"127.0.0.1:1\"\n" + lines + kRest));
    return all.empty() ? "" : all.back();
  };
  const std::string tls = "tls.certificates = [{ cert = \"c\", key = \"c\" }]\n";
  REQUIRE(problem("redirect_to_https = true\n" + tls) ==
          "f:3:21: listener 1: redirect_to_https: this listener speaks TLS itself");
  REQUIRE(problem("redirect_to_https = false\n" + tls).empty());
  REQUIRE(problem("proxy_protocol = true\n") ==
          "f:3:18: listener 1: proxy_protocol: needs trusted_proxies, or anyone could send a "
          "header");
  REQUIRE(problem("trusted_proxies = []\nproxy_protocol = true\n") ==
          "f:4:18: listener 1: proxy_protocol: needs trusted_proxies, or anyone could send a "
          "header");
  REQUIRE(problem("trusted_proxies = [\"10.0.0.0/8\"]\nproxy_protocol = true\n").empty());
}

TEST_CASE("check: names are unique", "[conf][check]") {
  const std::string listener = "[[listener]]\naddress = \"127.0.0.1:1\"\n";
  REQUIRE(messages(load(listener + kRest + "[[route]]\nname = \"r\"\nbackend = \"b\"\n")) ==
          std::vector<std::string>{"f:11:8: route \"r\": the name \"r\" is taken (f:4); a route "
                                   "without a name takes its backend's"});
  REQUIRE(messages(load(listener + kRest +
                        "[[route]]\nbackend = \"b\"\n[[route]]\nbackend = "
                        "\"b\"\n")) ==
          std::vector<std::string>{"f:12:1: route 3: the name \"b\" is taken (f:10); a route "
                                   "without a name takes its backend's"});
  REQUIRE(messages(load(listener + kRest + "[[backend]]\nname = \"b\"\nservers = [\"c:1\"]\n")) ==
          std::vector<std::string>{"f:11:8: backend \"b\": the name \"b\" is taken (f:8)"});
}

TEST_CASE("check: a listener open to the world wants a limit", "[conf][check]") {
  const auto hints = [](const std::string& address, const std::string& limits) {
    return load("[[listener]]\naddress = \"" + address +
                "\"\n[[route]]\nbackend = \"b\"\nhosts = [\"a.test\"]\n" + limits +
                "[[backend]]\nname = \"b\"\nservers = [\"a:1\"]\n")
        .hints;
  };
  REQUIRE(hints("0.0.0.0:80", "") ==
          std::vector<std::string>{
              "f:3:1: route 1: neither handshakes_per_ip nor connections_per_ip is set, and the "
              "listener 0.0.0.0:80 is open to the world"});
  REQUIRE(hints("10.0.0.1:80", "").size() == 1);
  REQUIRE(hints("0.0.0.0:80", "limits.connections_per_ip = 5\n").empty());
  REQUIRE(hints("0.0.0.0:80", "limits.handshakes_per_ip = \"5/s\"\n").empty());
  REQUIRE(hints("127.0.0.1:80", "").empty());
  REQUIRE(hints("[::1]:80", "").empty());
  REQUIRE(hints("unix:/run/f.sock", "").empty());
}

TEST_CASE("check: hints about the sticky cookie", "[conf][check]") {
  const auto hints = [](const std::string& listener, const std::string& sticky) {
    const LoadResult result =
        load("[[listener]]\naddress = \"unix:/run/f\"\n" + listener + kRest + sticky);
    REQUIRE(result.config.has_value());
    return result.hints;
  };
  REQUIRE(hints("", "[backend.sticky]\n") ==
          std::vector<std::string>{"f:10:1: backend \"b\": sticky without secret_file: cookies "
                                   "lose their meaning at a restart and on other nodes"});
  const std::string open =
      "f:10:24: backend \"b\": sticky: secret_file: \"open\" can be read by everyone on this "
      "machine";
  REQUIRE(hints("", "sticky = { secret_file=\"open\" }\n") == std::vector<std::string>{open});
  REQUIRE(hints("", "sticky = { secret_file=\"open\", same_site = \"None\" }\n") ==
          std::vector<std::string>{"f:10:10: backend \"b\": sticky with same_site \"None\": over "
                                   "the listener without TLS browsers drop the cookie",
                                   open});
  REQUIRE(hints("tls.certificates = [{ cert = \"c\", key = \"c\" }]\n",
                "sticky = { secret_file=\"open\", same_site = \"None\" }\n")
              .size() == 1);
}

TEST_CASE("check: hash_key needs balance = \"hash\"", "[conf][check]") {
  const auto problems = [](const std::string& lines) {
    return messages(load("[[listener]]\naddress = \"127.0.0.1:1\"\n" + kRest + lines));
  };
  const std::vector<std::string> wrong{
      "f:10:12: backend \"b\": hash_key: only balance = \"hash\" goes by it"};
  REQUIRE(problems("hash_key = \"path\"\n") == wrong);
  REQUIRE(problems("hash_key = \"path\"\nbalance = \"random-two\"\n") == wrong);
  REQUIRE(problems("hash_key = \"path\"\nbalance = \"hash\"\n").empty());
  REQUIRE(problems("balance = \"hash\"\n").empty());
}

TEST_CASE("check: one server at least is no backup", "[conf][check]") {
  const auto problems = [](const std::string& servers) {
    return messages(
        load("[[listener]]\naddress = \"127.0.0.1:1\"\n[[route]]\nbackend = \"b\"\n"
             "[[backend]]\nname = \"b\"\nservers = [" +
             servers + "]\n"));
  };
  REQUIRE(
      problems("{ address = \"a:1\", backup = true }, { address = \"a:2\", backup = true }") ==
      std::vector<std::string>{"f:7:11: backend \"b\": servers: all are backups: of what? One at "
                               "least has to do the work"});
  REQUIRE(problems("\"a:1\", { address = \"a:2\", backup = true }").empty());
}
