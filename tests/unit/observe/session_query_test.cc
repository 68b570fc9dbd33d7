#include "proxy/observe/session_query.h"

#include "proxy/observe/access_log.h"
#include "proxy/observe/json_value.h"
#include "tests/support/catch.h"

namespace fairlead::observe {
namespace {

std::optional<SessionQuery> parse(std::string_view text, bool filter_only = false) {
  std::string error;
  const auto query = parse_session_query(text, filter_only, error);
  CHECK(query.has_value() == error.empty());
  return query;
}

}  // namespace

TEST_CASE("session query: what is not said is the default", "[observe][sessions]") {
  for (const char* text : {"", "?", "?&&"}) {
    CAPTURE(text);
    const auto query = parse(text);
    REQUIRE(query);
    CHECK(query->filter.empty());
    CHECK(query->sort == SessionQuery::Sort::age);
    CHECK(query->limit == 100);
    CHECK(query->offset == 0);
  }
}

TEST_CASE("session query: each parameter", "[observe][sessions]") {
  const auto query = parse(
      "?route=a%20b&backend=c+d&server=10.0.0.1%3A80&client=10.0.0.0/8&sort=idle&limit=1000&"
      "offset=100000");
  REQUIRE(query);
  CHECK(query->filter.route == "a b");
  CHECK(query->filter.backend == "c d");
  CHECK(query->filter.server == "10.0.0.1:80");
  REQUIRE(query->filter.client);
  CHECK(query->filter.client->contains(*conf::Ip::parse("10.1.2.3")));
  CHECK(query->sort == SessionQuery::Sort::idle);
  CHECK(query->limit == 1000);
  CHECK(query->offset == 100'000);
  CHECK(parse("?sort=rate")->sort == SessionQuery::Sort::rate);
  CHECK(parse("?client=::1")->filter.client->contains(*conf::Ip::parse("::1")));
}

TEST_CASE("session query: what is wrong is refused", "[observe][sessions]") {
  for (const char* text : {"?limit=0",         "?limit=1001",
                           "?limit=-1",        "?limit=",
                           "?limit=1x",        "?limit=99999999999999999999",
                           "?offset=100001",   "?offset=-1",
                           "?sort=",           "?sort=size",
                           "?client=",         "?client=10.0.0.0/33",
                           "?client=host",     "?route=",
                           "?route",           "?route=%",
                           "?route=%4",        "?route=%gg",
                           "?user=x",          "?nothing=1",
                           "?route=a&route=b", "?=x"}) {
    CAPTURE(text);
    CHECK_FALSE(parse(text));
  }
  CHECK(parse("?route=" + std::string(256, 'r')));
  CHECK_FALSE(parse("?route=" + std::string(257, 'r')));
}

TEST_CASE("session query: closing takes filters only, and at least one", "[observe][sessions]") {
  CHECK(parse("?route=a", true));
  CHECK_FALSE(parse("", true));
  CHECK_FALSE(parse("?limit=5", true));
  CHECK_FALSE(parse("?route=a&sort=age", true));
}

TEST_CASE("session query: an id is 16 hexadecimal digits", "[observe][sessions]") {
  CHECK(parse_conn_id("0000000000000001") == 1);
  CHECK(parse_conn_id("ffffFFFFffffffff") == UINT64_MAX);
  for (const char* text : {"", "1", "000000000000001", "00000000000000001", "-000000000000001",
                           "0x00000000000001", "000000000000000g"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_conn_id(text));
  }
}

TEST_CASE("a session as JSON has its log fields and what is live", "[observe][sessions]") {
  Entry entry;
  entry.conn_id = 0x1234;
  entry.route = "chat \"x\"";
  entry.traffic = Entry::Traffic{1, 2, 3, 4};
  LiveSession live;
  live.idle_ms = 1500;
  live.buffered_bytes = 77;
  live.bytes_per_s = 12.5;
  std::string text;
  append_session(entry, live, text);
  const auto json = parse_json(text);
  REQUIRE(json);
  CHECK(json->string_of("conn_id") == "0000000000001234");
  CHECK(json->string_of("opened") == "1970-01-01T00:00:00.000Z");
  CHECK(json->string_of("route") == "chat \"x\"");
  CHECK(json->number_of("msgs_out") == 2);
  CHECK(json->number_of("bytes_in") == 3);
  CHECK(json->number_of("idle_ms") == 1500);
  CHECK(json->number_of("buffered_bytes") == 77);
  CHECK(json->number_of("bytes_per_s") == 12.5);
  CHECK(json->find("msgs_per_s") == nullptr);
  CHECK_FALSE(json->flag_of("ending"));
}

}  // namespace fairlead::observe
