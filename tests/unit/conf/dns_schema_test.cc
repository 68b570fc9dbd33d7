#include "tests/unit/conf/least.h"

using namespace fairlead::conf;
using fairlead::conf::test::good;
using fairlead::conf::test::kLeast;
using fairlead::conf::test::problem_with;

namespace {

Dns dns(const std::string& lines) {
  return good(kLeast + "[dns]\n" + lines).dns;
}

std::string name_server(const std::string& text) {
  const auto servers = dns("resolver = [\"" + text + "\"]").resolver;
  REQUIRE(servers.size() == 1);
  return servers[0].text();
}

Address server(const std::string& text) {
  return good(kLeast + "[[backend]]\nname = \"b\"\nservers = [\"" + text + "\"]")
      .backends[1]
      .servers.at(0)
      .address;
}

}  // namespace

TEST_CASE("dns: its keys", "[conf][dns]") {
  REQUIRE(dns("") == Dns{});
  REQUIRE(name_server("10.0.0.53") == "10.0.0.53:53");
  REQUIRE(name_server("127.0.0.1:5353") == "127.0.0.1:5353");
  REQUIRE(name_server("fd00::53") == "[fd00::53]:53");
  REQUIRE(name_server("[fd00::53]:54") == "[fd00::53]:54");
  REQUIRE(dns("min_ttl = \"100ms\"\nmax_ttl = \"24h\"").max_ttl == Millis{86'400'000});
  REQUIRE_FALSE(dns("").allow_loopback);
  REQUIRE(dns("allow_loopback = true").allow_loopback);
  REQUIRE(dns("timeout = \"500ms\"").timeout == Millis{500});
}

TEST_CASE("dns: what is wrong with its keys", "[conf][dns]") {
  for (const auto* bad : {"dns.test", "dns.test:53", "10.0.0.53:0", "unix:/x", ""}) {
    CAPTURE(bad);
    REQUIRE(problem_with("[dns]\nresolver = [\"" + std::string(bad) + "\"]\n") ==
            "f:10:13: dns: resolver: \"" + std::string(bad) +
                "\" is not a name server such as \"10.0.0.53\" or \"127.0.0.1:5353\"");
  }
  REQUIRE(problem_with("[dns]\nmin_ttl = \"10m\"\n") ==
          "f:10:11: dns: min_ttl: is longer than max_ttl");
}

TEST_CASE("dns: services are servers", "[conf][dns]") {
  const Address service = server("srv:_WS._tcp.Example.com");
  REQUIRE(service.kind == Address::Kind::service);
  REQUIRE(service.host == "_ws._tcp.example.com");
  REQUIRE(service.text() == "srv:_ws._tcp.example.com");
  REQUIRE(Address::parse_service(service.text()) == service);
  REQUIRE(service.is_named());
  REQUIRE(server("app.test:80").is_named());
  REQUIRE_FALSE(server("10.0.0.1:80").is_named());
  REQUIRE_FALSE(server("unix:/x").is_named());
  REQUIRE(server("srv:app.service.consul").kind == Address::Kind::service);
}

TEST_CASE("dns: what no service is", "[conf][dns]") {
  for (const auto* bad : {"srv:", "srv:_ws._tcp.test:80", "srv:a/b", "srv:a..b", "srv:10.0.0.1"}) {
    CAPTURE(bad);
    REQUIRE_FALSE(Address::parse_service(bad));
    REQUIRE(problem_with("[[backend]]\nname = \"b\"\nservers = [\"" + std::string(bad) + "\"]\n")
                .find("is not a service such as \"srv:_ws._tcp.example.com\"") !=
            std::string::npos);
  }
  // Nowhere else.
  REQUIRE_FALSE(Address::parse("srv:_ws._tcp.test"));
}
