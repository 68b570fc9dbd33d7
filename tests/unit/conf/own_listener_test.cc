#include "conf/own_listener.h"

#include "tests/unit/conf/least.h"

using namespace fairlead::conf;
using fairlead::conf::test::load;
using fairlead::conf::test::messages;

TEST_CASE("own listener: a server that leads back, as far as addresses show it", "[conf][loop]") {
  struct Row {
    const char* server;
    const char* listener;
    bool want;
  };

  const Row rows[] = {
      {"127.0.0.1:80", "127.0.0.1:80", true},
      {"127.0.0.1:80", "127.0.0.1:81", false},
      {"127.0.0.2:80", "127.0.0.1:80", false},
      {"127.0.0.2:80", "0.0.0.0:80", true},
      {"127.0.0.1:80", "[::]:80", true},
      {"[::1]:80", "[::]:80", true},
      {"[::1]:80", "0.0.0.0:80", false},
      {"[::ffff:127.0.0.1]:80", "0.0.0.0:80", true},
      {"0.0.0.0:80", "127.0.0.1:80", true},
      {"0.0.0.0:80", "0.0.0.0:80", true},
      {"[::]:80", "[::1]:80", true},
      {"192.0.2.9:80", "192.0.2.9:80", true},
      {"192.0.2.9:80", "0.0.0.0:80", true},
      {"192.0.2.9:80", "[::]:80", true},
      {"192.0.2.8:80", "0.0.0.0:80", false},
      {"192.0.2.9:80", "127.0.0.1:80", false},
      {"localhost:80", "127.0.0.1:80", true},
      {"localhost.:80", "[::1]:80", true},
      {"app.localhost:80", "0.0.0.0:80", true},
      {"localhost:80", "192.0.2.9:80", false},
      {"app.internal:80", "0.0.0.0:80", false},
      {"unix:/run/a", "unix:/run/a", true},
      {"unix:/run/a", "unix:/run/b", false},
      {"unix:/run/a", "0.0.0.0:80", false},
      {"127.0.0.1:80", "unix:/run/a", false},
  };
  const std::vector<Ip> machine{*Ip::parse("192.0.2.9")};
  for (const Row& row : rows) {
    CAPTURE(row.server, row.listener);
    CHECK(leads_to(*Address::parse(row.server), *Address::parse(row.listener), machine) ==
          row.want);
  }
  CHECK_FALSE(leads_to(*Address::parse("192.0.2.9:80"), *Address::parse("0.0.0.0:80"), {}));
  CHECK_FALSE(
      leads_to(*Address::parse_service("srv:localhost"), *Address::parse("0.0.0.0:80"), {}));
}

TEST_CASE("own listener: check refuses it at the server's place", "[conf][loop]") {
  const auto problems = [](const std::string& listener, const std::string& servers) {
    return messages(load("[[listener]]\naddress = \"" + listener +
                         "\"\n[[route]]\nbackend = \"b\"\n" +
                         "[[backend]]\nname = \"b\"\nservers = [" + servers + "]\n"));
  };
  const auto found =
      problems("0.0.0.0:8080", "\"10.0.0.1:8080\", { address = \"127.0.0.1:8080\" }");
  REQUIRE(found == std::vector<std::string>{
                       "f:7:29: backend \"b\": servers: \"127.0.0.1:8080\" is the listener "
                       "\"0.0.0.0:8080\" of this Fairlead: each request would come back to it"});
  REQUIRE(problems("127.0.0.1:0", "\"127.0.0.1:8080\"").empty());
}
