// Key updates, tickets and the limits of a key (RFC 8446 4.6, 5.5).

#include "tls/record_layer.h"

#include "tests/unit/tls/record_rig.h"

namespace fairlead::tls::rig {

namespace {

using Role = RecordLayer::Role;
using namespace std::string_literals;

constexpr const char kUpdate[] = {24, 0, 0, 1, 0};
constexpr const char kUpdateAndAnswer[] = {24, 0, 0, 1, 1};
const std::string_view kUpdateText(kUpdate, 5);
const std::string_view kAnswerText(kUpdateAndAnswer, 5);

}  // namespace

TEST_CASE("record layer: a key update that asks is answered once, before our next data",
          "[tls][records][update]") {
  Hostile pair(GENERATE(from_range(kAllSuites)), GENERATE(Role::client, Role::server));
  for (int i = 0; i < 3; ++i) {
    pair.near.feed(pair.far.seal(22, kAnswerText));
    REQUIRE(pair.far.seals.update());
  }
  pair.near.feed(pair.far.data("with the fourth keys"));
  REQUIRE(pair.near.plain == "with the fourth keys");
  REQUIRE(pair.near.alerts.empty());
  const std::string answer = pair.near.write("x");
  const std::size_t first = 5 + 5 + 1 + 16;
  REQUIRE(pair.far.open(answer.substr(0, first)).at(0) == std::string(kUpdateText) + "\x16");
  REQUIRE(pair.far.opens.update());
  REQUIRE(pair.far.open(answer.substr(first)).at(0) == "x\x17");
  REQUIRE(pair.far.open(pair.near.write("y")).size() == 1);
}

TEST_CASE("record layer: a key update in fragments, byte by byte", "[tls][records][update]") {
  Hostile pair;
  for (const char byte : kUpdateText) {
    REQUIRE(pair.near.feed(pair.far.seal(22, {&byte, 1})) == Status::want_input);
  }
  REQUIRE(pair.far.seals.update());
  pair.near.feed(pair.far.data("new"));
  REQUIRE(pair.near.plain == "new");
}

TEST_CASE("record layer: old keys are refused after a key update", "[tls][records][update]") {
  Hostile pair;
  pair.near.feed(pair.far.seal(22, kUpdateText));
  pair.near.feed(pair.far.data("old"));
  REQUIRE(pair.alert() == 20);
}

TEST_CASE("record layer: tickets are skipped in any fragments", "[tls][records]") {
  Hostile pair(Suite::aes_256_gcm_sha384, Role::client);
  const std::string ticket = "\x04\0\x4e\x20"s + std::string(20000, 't');
  const std::string two = ticket + ticket;
  for (std::size_t at = 0; at < two.size(); at += 3000) {
    REQUIRE(pair.near.feed(pair.far.seal(22, std::string_view(two).substr(at, 3000))) ==
            Status::want_input);
  }
  pair.near.feed(pair.far.data("data"));
  REQUIRE(pair.near.plain == "data");
}

TEST_CASE("record layer: our keys are updated at the limit", "[tls][records][update][limits]") {
  Hostile pair(GENERATE(from_range(kAllSuites)), Role::server, 3);
  std::vector<std::string> got;
  const std::string sent = pair.near.write(pattern(16384 * 10));
  std::size_t updates = 0;
  for (std::size_t at = 0; at < sent.size();) {
    const std::size_t size = std::size_t{5} + static_cast<unsigned char>(sent[at + 3]) * 256U +
                             static_cast<unsigned char>(sent[at + 4]);
    const std::string inner = pair.far.open(sent.substr(at, size)).at(0);
    if (inner.back() == 22) {
      REQUIRE(inner == std::string(kUpdateText) + "\x16");
      REQUIRE(got.size() % 3 == 0);
      REQUIRE(pair.far.opens.update());
      ++updates;
    } else {
      got.push_back(inner);
    }
    at += size;
  }
  REQUIRE(got.size() == 10);
  REQUIRE(updates == 3);
}

}  // namespace fairlead::tls::rig
