#include "proxy/balance/hash_key.h"

#include "proxy/balance/hash.h"
#include "tests/support/catch.h"

namespace fairlead::balance {
namespace {

using Kind = conf::HashKey::Kind;

std::optional<std::uint64_t> of(std::string_view text) {
  return stable_hash(text);
}

wire::RequestHead head() {
  wire::RequestHead result;
  result.method = "GET";
  result.host = "chat.example.com";
  result.path = "/rooms/7";
  result.query = "?a=1&room=x%20y&room=2&empty=&bare";
  result.fields.add("X-Room", "one");
  result.fields.add("x-room", "two");
  result.fields.add("Cookie", "theme=dark; session=\"s-1\"; session=s-2");
  result.fields.add("Cookie", "late=yes");
  result.fields.add("X-Empty", "");
  return result;
}

std::optional<std::uint64_t> address(const char* text) {
  const auto ip = conf::Ip::parse(text);
  REQUIRE(ip);
  return hash_key({}, head(), &*ip);
}

}  // namespace

TEST_CASE("hash key: what is taken of a request", "[balance][hash_key]") {
  struct Row {
    Kind kind;
    const char* name;
    std::optional<std::uint64_t> want;
  };

  const Row rows[] = {
      {Kind::header, "X-Room", of("one")},
      {Kind::header, "x-rOOM", of("one")},
      {Kind::header, "X-Other", {}},
      {Kind::header, "X-Empty", {}},
      {Kind::header, "Host", of("chat.example.com")},
      {Kind::cookie, "session", of("s-1")},
      {Kind::cookie, "late", of("yes")},
      {Kind::cookie, "Session", {}},
      {Kind::cookie, "none", {}},
      {Kind::query, "room", of("x%20y")},
      {Kind::query, "a", of("1")},
      {Kind::query, "A", {}},
      {Kind::query, "empty", {}},
      {Kind::query, "bare", {}},
      {Kind::path, "", of("/rooms/7")},
      {Kind::client_ip, "", {}},  // without an address
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(hash_key({row.kind, row.name}, head(), nullptr) == row.want);
  }
}

TEST_CASE("hash key: a client's address, IPv6 by its /64", "[balance][hash_key]") {
  CHECK(address("10.0.0.1") == address("10.0.0.1"));
  CHECK(address("10.0.0.1") == address("::ffff:10.0.0.1"));
  CHECK(address("10.0.0.1") != address("10.0.0.2"));
  CHECK(address("2001:db8::1") == address("2001:db8::ffff:2:3:4"));
  CHECK(address("2001:db8::1") != address("2001:db8:0:1::1"));
}

}  // namespace fairlead::balance
