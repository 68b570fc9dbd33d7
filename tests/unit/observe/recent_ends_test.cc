#include "proxy/observe/recent_ends.h"

#include "proxy/observe/json_value.h"
#include "proxy/observe/plain_words.h"
#include "tests/support/catch.h"

using namespace fairlead;
using namespace fairlead::observe;
using rules::Cause;

namespace {

Entry close_of(std::string_view route) {
  Entry entry;
  entry.event = "close";
  entry.route = route;
  return entry;
}

}  // namespace

TEST_CASE("plain words: every cause has its own", "[observe][ends]") {
  for (int i = 0; i < rules::kCauseCount; ++i) {
    const auto cause = static_cast<Cause>(i);
    CAPTURE(rules::failure(cause).word);
    CHECK_FALSE(plain_words(cause).empty());
    CHECK(plain_words(cause).front() >= 'A');
    CHECK(plain_words(cause).front() <= 'Z');  // failure.h's texts begin small
    CHECK(plain_words(cause).back() != '.');
  }
}

TEST_CASE("recent ends: what is asked for is what came since", "[observe][ends]") {
  RecentEnds ends;
  CHECK(ends.since(0).empty());
  ends.add(Cause::client_closed, close_of("a"), 1);
  ends.add(Cause::backend_dead, close_of("b"), 2);
  ends.add(Cause::client_closed, close_of("c"), 3);
  const auto all = ends.since(0);
  REQUIRE(all.size() == 3);
  CHECK(all[0].route == "a");
  CHECK(all[1].route == "b");
  CHECK(all[2].number == 3);
  const auto news = ends.since(2);
  REQUIRE(news.size() == 1);
  CHECK(news[0].route == "c");
  CHECK(ends.since(3).empty());
  CHECK_FALSE(RecentEnds::wants(Cause::done));
  CHECK(RecentEnds::wants(Cause::origin_denied));
}

TEST_CASE("recent ends: many everyday ones push out no other", "[observe][ends]") {
  RecentEnds ends;
  ends.add(Cause::origin_denied, close_of("refused"), 1);
  for (int i = 0; i < 1000; ++i) ends.add(Cause::client_gone, close_of("usual"), 2);
  const auto all = ends.since(0);
  CHECK(all.size() == RecentEnds::kEach + 1);
  CHECK(all.front().route == "refused");
  CHECK(all.back().number == 1001);
}

TEST_CASE("recent ends: as JSON, whatever is in them", "[observe][ends]") {
  RecentEnds ends;
  Entry entry;
  entry.event = "http";
  const conf::Ip ip = *conf::Ip::parse("192.0.2.7");
  entry.client_ip = &ip;
  entry.conn_id = 255;
  const std::string path = "/<b>\"\n" + std::string(500, 'x');
  entry.path = path;
  entry.origin = "\xff";
  entry.status = 403;
  entry.duration_ms = 1.5;
  ends.add(Cause::origin_denied, entry, 77);
  ends.add(Cause::client_closed, close_of("chat"), 78);
  const auto value = parse_json(ends_json(ends.since(0)));
  REQUIRE(value);
  REQUIRE(value->items.size() == 2);
  const JsonValue& one = value->items[0];
  CHECK(one.string_of("event") == "http");
  CHECK(one.number_of("at") == 77);
  CHECK(one.string_of("conn_id") == "00000000000000ff");
  CHECK(one.string_of("client_ip") == "192.0.2.7");
  CHECK(one.string_of("path") == path.substr(0, End::kTextBytes));
  CHECK(one.number_of("status") == 403);
  CHECK(one.string_of("reason") == "origin_denied");
  CHECK(one.string_of("fault") == "client");
  CHECK(one.find("usual")->kind == JsonValue::Kind::boolean);
  CHECK(value->items[1].string_of("event") == "close");
  CHECK(ends_json({}) == "[]");
}
