#include "proxy/balance/endpoints.h"

#include "tests/support/catch.h"

namespace fairlead::balance {
namespace {

conf::Ip ip(const char* text) {
  return *conf::Ip::parse(text);
}

std::string text_of(const Endpoints& endpoints) {
  std::string out;
  for (const Endpoint& one : endpoints) {
    if (!out.empty()) out += ' ';
    out += one.ip.text() + ":" + std::to_string(one.port) + "*" + std::to_string(one.weight);
    if (one.backup) out += "b";
  }
  return out;
}

std::string text_of(const std::vector<conf::BackendServer>& servers) {
  std::string out;
  for (const conf::BackendServer& one : servers) {
    if (!out.empty()) out += ' ';
    out += one.address.text() + "*" + std::to_string(one.weight) + (one.backup ? "b" : "") +
           (one.from.empty() ? "" : "<" + one.from);
  }
  return out;
}

conf::BackendServer server(const char* address, std::uint32_t weight = 1) {
  conf::BackendServer made;
  const auto service = conf::Address::parse_service(address);
  made.address = service ? *service : *conf::Address::parse(address);
  made.weight = weight;
  return made;
}

}  // namespace

TEST_CASE("endpoints: hosts in one order, IPv4 first, each once", "[balance][dns]") {
  CHECK(text_of(from_hosts({ip("fd00::2"), ip("10.0.0.2"), ip("10.0.0.1"), ip("10.0.0.2")})) ==
        "10.0.0.1:0*1 10.0.0.2:0*1 fd00::2:0*1");
  CHECK(from_hosts({ip("10.0.0.1"), ip("10.0.0.2")}) ==
        from_hosts({ip("10.0.0.2"), ip("10.0.0.1")}));
}

TEST_CASE("endpoints: a name stands for so many at most", "[balance][dns]") {
  for (const unsigned count : {255U, 256U, 257U}) {
    std::vector<conf::Ip> ips;
    std::vector<Service> services;
    for (unsigned i = 0; i < count; ++i) {
      ips.push_back(conf::Ip::v4(0x0a000000 + count - i));
      // The ones that do the work have the highest addresses.
      services.push_back({conf::Ip::v4(0x0a000000 + i), 80,
                          static_cast<std::uint16_t>(i == count - 1 ? 1 : 2), 1});
    }
    CHECK(from_hosts(ips).size() == std::min(count, 256U));
    CHECK(from_hosts(ips).front().ip == conf::Ip::v4(0x0a000001));
    CHECK(from_services(services).size() == std::min(count, 256U));
    CHECK_FALSE(from_services(services).back().backup);
    CHECK(joined(from_hosts(ips), from_hosts({ip("9.0.0.1")}), {true, true}).size() ==
          std::min(count + 1, 256U));
  }
}

TEST_CASE("endpoints: services: the lowest priority works, weights fit", "[balance][dns]") {
  struct Row {
    std::vector<Service> services;
    const char* text;
  };

  const auto one = ip("10.0.0.1");
  const auto two = ip("10.0.0.2");
  const std::vector<Row> rows{
      {{}, ""},
      {{{one, 80, 10, 5}}, "10.0.0.1:80*5"},
      {{{one, 80, 10, 0}, {two, 81, 10, 1000}}, "10.0.0.1:80*1 10.0.0.2:81*1000"},
      {{{one, 80, 0, 65535}, {two, 80, 0, 32768}}, "10.0.0.1:80*1000 10.0.0.2:80*500"},
      {{{one, 80, 0, 1001}, {two, 80, 0, 1}}, "10.0.0.1:80*1000 10.0.0.2:80*1"},
      {{{one, 80, 2, 7}, {two, 80, 1, 7}}, "10.0.0.1:80*7b 10.0.0.2:80*7"},
      {{{one, 80, 2, 7}, {two, 80, 0, 7}, {two, 81, 1, 7}},
       "10.0.0.1:80*7b 10.0.0.2:80*7 10.0.0.2:81*7b"},
      {{{one, 80, 2, 9}, {one, 80, 1, 3}}, "10.0.0.1:80*3"},  // twice: the one that works
      {{{one, 80, 1, 3}, {one, 80, 1, 9}}, "10.0.0.1:80*9"},
  };
  for (const Row& row : rows) CHECK(text_of(from_services(row.services)) == row.text);
}

TEST_CASE("endpoints: an answer that lacks a family takes none of that family away",
          "[balance][dns]") {
  const Endpoints known{{ip("10.0.0.1"), 80, 5, false}, {ip("fd00::1"), 80, 5, false}};
  const Endpoints answered{{ip("10.0.0.1"), 80, 7, true}, {ip("10.0.0.2"), 80, 7, false}};
  CHECK(text_of(joined(answered, known, {true, true})) ==
        "10.0.0.1:80*7b 10.0.0.2:80*7 fd00::1:80*5");
  CHECK(joined({}, known, {true, true}) == known);
  CHECK(joined({}, known, {}).empty());
  // What A no longer has is gone, though AAAA never answers, and the other way round.
  const Endpoints moved{{ip("10.0.0.2"), 80, 7, false}};
  CHECK(text_of(joined(moved, known, {false, true})) == "10.0.0.2:80*7 fd00::1:80*5");
  CHECK(text_of(joined({{ip("fd00::2"), 80}}, known, {true, false})) ==
        "10.0.0.1:80*5 fd00::2:80*1");
}

TEST_CASE("endpoints: names become servers, each place once", "[balance][dns]") {
  const Endpoints app{{ip("10.0.0.1")}, {ip("fd00::1")}};
  const Endpoints ws{{ip("10.0.0.1"), 80, 600, false}, {ip("10.0.0.9"), 81, 2, true}};
  const Lookup lookup = [&](const conf::Address& name) -> const Endpoints* {
    if (name.host == "app") return &app;
    return name.kind == conf::Address::Kind::service && name.host == "ws" ? &ws : nullptr;
  };
  std::vector<conf::BackendServer> servers{server("10.0.0.7:80"), server("app:80", 3),
                                           server("new:80"), server("srv:ws", 2),
                                           server("unix:/run/x")};
  servers[1].max_sessions = 5;
  servers[1].backup = true;
  const auto all = expand(servers, lookup);
  CHECK(text_of(all) ==
        "10.0.0.7:80*1 10.0.0.1:80*3b<app:80 [fd00::1]:80*3b<app:80 10.0.0.9:81*4b<srv:ws "
        "unix:/run/x*1");
  CHECK(all[2].max_sessions == 5);
  CHECK(text_of(expand({server("srv:ws", 2)}, lookup)) ==
        "10.0.0.1:80*1000<srv:ws 10.0.0.9:81*4b<srv:ws");
  CHECK(text_of(expand(servers, {})) == "10.0.0.7:80*1 unix:/run/x*1");
  CHECK(text_of(expand({server("app:80"), server("app:81")}, lookup)) ==
        "10.0.0.1:80*1<app:80 [fd00::1]:80*1<app:80 10.0.0.1:81*1<app:81 [fd00::1]:81*1<app:81");
}

TEST_CASE("endpoints: an answer lives as long as its TTL, within bounds", "[balance][dns]") {
  using conf::Millis;
  const conf::Dns settings;
  CHECK(ask_again_in(0, settings) == Millis{1'000});
  CHECK(ask_again_in(1, settings) == Millis{1'000});
  CHECK(ask_again_in(2, settings) == Millis{2'000});
  CHECK(ask_again_in(299, settings) == Millis{299'000});
  CHECK(ask_again_in(300, settings) == Millis{300'000});
  CHECK(ask_again_in(0x7fffffff, settings) == Millis{300'000});
  CHECK(ask_again_in(std::nullopt, settings) == Millis{30'000});
  conf::Dns quick;
  quick.max_ttl = Millis{5'000};
  CHECK(ask_again_in(std::nullopt, quick) == Millis{5'000});
}

TEST_CASE("endpoints: failures are followed by longer waits", "[balance][dns]") {
  conf::Dns settings;
  std::string waits;
  for (unsigned n = 1; n < 9; ++n)
    waits += std::to_string(retry_in(n, settings).count() / 1000) + " ";
  CHECK(waits == "1 2 4 8 16 30 30 30 ");
  CHECK(retry_in(4'000'000'000, settings) == conf::Millis{30'000});
  settings.min_ttl = conf::Millis{3'600'000};
  CHECK(retry_in(1, settings) == conf::Millis{3'600'000});
  CHECK(retry_in(9, settings) == conf::Millis{3'600'000});
}

}  // namespace fairlead::balance
