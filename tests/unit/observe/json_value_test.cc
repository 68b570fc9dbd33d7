#include "proxy/observe/json_value.h"

#include "tests/support/catch.h"

using namespace fairlead::observe;

TEST_CASE("json_value: what is JSON is read", "[observe][json]") {
  const auto value = parse_json(
      R"( {"a": [1, -2.5e1, true, false, null, {}], "b": "x\"\\\/\b\f\n\r\tü\u00e9\ud83d\ude00"} )");
  REQUIRE(value);
  const auto& items = value->items_of("a");
  REQUIRE(items.size() == 6);
  CHECK(items[0].number == 1);
  CHECK(items[1].number == -25);
  CHECK(items[2].boolean);
  CHECK_FALSE(items[3].boolean);
  CHECK(items[4].kind == JsonValue::Kind::null);
  CHECK(items[5].kind == JsonValue::Kind::object);
  CHECK(value->string_of("b") == "x\"\\/\b\f\n\r\tü\u00e9\U0001f600");
  CHECK(value->string_of("c").empty());
  CHECK(value->items_of("b").empty());
  CHECK(value->find("A") == nullptr);
}

TEST_CASE("json_value: what is none is refused", "[observe][json]") {
  const auto* text = GENERATE(values<const char*>(
      {"",        " ",         "{",           "[",           "[1,]",        "[1 2]",
       "{\"a\"}", "{\"a\":}",  "{\"a\":1,}",  "{a:1}",       "{'a':1}",     "{\"a\":1,\"a\":2}",
       "01",      "+1",        "1.",          ".5",          "1e",          "-",
       "0x1",     "1e999",     "NaN",         "tru",         "nul",         "\"",
       "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"",
       "\"\n\"",  "\"\xff\"",  "1 1",         "{} x",        "//c\n1"}));
  CAPTURE(text);
  CHECK_FALSE(parse_json(text));
}

TEST_CASE("json_value: depth and members are bounded", "[observe][json]") {
  const auto nested = [](unsigned depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  CHECK(parse_json(nested(kJsonDepth - 1)));
  CHECK(parse_json(nested(kJsonDepth)));
  CHECK_FALSE(parse_json(nested(kJsonDepth + 1)));
  CHECK_FALSE(parse_json(std::string(1 << 20, '[')));
  const auto members = [](std::size_t count) {
    std::string text = "{";
    for (std::size_t i = 0; i < count; ++i) {
      text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":0";
    }
    return text + "}";
  };
  CHECK(parse_json(members(kJsonMembers)));
  CHECK_FALSE(parse_json(members(kJsonMembers + 1)));
}
