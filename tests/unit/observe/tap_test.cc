#include "proxy/observe/tap.h"

#include "tests/support/catch.h"

namespace fairlead::observe {
namespace {

std::string hidden(std::vector<std::string> patterns, std::string text) {
  const std::size_t size = text.size();
  Redaction(std::move(patterns)).hide(text);
  REQUIRE(text.size() == size);
  return text;
}

}  // namespace

TEST_CASE("redaction: from behind a prefix up to what ends it", "[observe][tap]") {
  CHECK(hidden({"token=*&"}, "a=1&token=secret&b=2") == "a=1&token=******&b=2");
  CHECK(hidden({"token=*&"}, "TOKEN=secret") == "TOKEN=******");
  CHECK(hidden({"\"password\":\"*\""}, R"({"password":"x","password":"yz"})") ==
        R"({"password":"*","password":"**"})");
  CHECK(hidden({"key:*"}, "key: all of it\nand more") == "key:" + std::string(19, '*'));
  CHECK(hidden({"secret"}, "a Secret secret") == "a ****** ******");
  CHECK(hidden({"a", "b*c"}, "abxc") == "*b*c");
  CHECK(hidden({"token="}, "nothing") == "nothing");
  CHECK(hidden({"x*y"}, "x") == "x");
  CHECK(hidden({"x*y"}, "") == "");
  CHECK(hidden({"x*y"}, "xyxy") == "xyxy");
  CHECK(hidden({"aa*b"}, std::string(256, 'a')) == "aa" + std::string(254, '*'));
}

TEST_CASE("redaction: what cannot be looked into is withheld, where anything is to be hidden",
          "[observe][tap]") {
  TapFrame frame;
  frame.opcode = 1;
  frame.fin = true;
  frame.bytes = "hi";
  frame.length = 2;
  const Redaction none({});
  const Redaction some({"x"});
  CHECK_FALSE(some.withholds(frame));
  frame.rsv = 4;
  CHECK(some.withholds(frame));
  CHECK_FALSE(none.withholds(frame));
  frame.rsv = 0;
  frame.opcode = 0;
  CHECK(some.withholds(frame));
  CHECK(tap_json(frame, true, some).find("\"withheld\":true}") != std::string::npos);
  CHECK(tap_json(frame, true, some).find("6869") == std::string::npos);
}

TEST_CASE("tap: a frame as JSON", "[observe][tap]") {
  TapFrame frame;
  frame.at_us = 1709210096789012;
  frame.from_client = true;
  frame.fin = true;
  frame.masked = true;
  frame.opcode = 1;
  frame.length = 300;
  frame.bytes = "h\xff";
  const Redaction none({});
  CHECK(tap_json(frame, true, none) ==
        R"({"at":1709210096789.012,"from":"client","type":"text","opcode":1,"fin":true,"rsv":0,)"
        R"("masked":true,"length":300,"bytes":"68ff"})");
  frame.from_client = frame.fin = frame.masked = false;
  frame.opcode = 3;
  frame.rsv = 4;
  CHECK(tap_json(frame, false, none) ==
        R"({"at":1709210096789.012,"from":"backend","type":"0x3","opcode":3,"fin":false,"rsv":4,)"
        R"("masked":false,"length":300})");
}

}  // namespace fairlead::observe
