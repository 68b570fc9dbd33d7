#include "proxy/wire/engine_io.h"

#include <string>

#include "tests/support/catch.h"

using namespace std::string_literals;

namespace fairlead::wire {
namespace {

using State = SidReader::State;

// The sid of a body; "-" for none, "+" for one that is not at its end yet.
std::string read(const std::string& body, bool chunked, std::size_t piece) {
  SidReader reader(chunked);
  for (std::size_t at = 0; at < body.size(); at += piece) {
    reader.feed(std::string_view(body).substr(at, piece));
  }
  if (reader.state() == State::more) return "+";
  return reader.state() == State::found ? std::string(reader.sid()) : "-";
}

// Whole, byte by byte, and in two at every byte.
std::string sid(const std::string& body, bool chunked = false) {
  const std::string whole = read(body, chunked, body.size() + 1);
  CHECK(read(body, chunked, 1) == whole);
  for (std::size_t at = 1; at < body.size(); ++at) {
    SidReader reader(chunked);
    reader.feed(std::string_view(body).substr(0, at));
    reader.feed(std::string_view(body).substr(at));
    const std::string split = reader.state() == State::more    ? "+"
                              : reader.state() == State::found ? std::string(reader.sid())
                                                               : "-";
    CAPTURE(body, at);
    CHECK(split == whole);
  }
  return whole;
}

std::string with_sid(const std::string& text) {
  return "0{\"sid\":\"" + text + "\"}";
}

RequestHead request(std::string_view method, std::string_view query) {
  RequestHead head;
  head.method = method;
  head.query = query;
  return head;
}

}  // namespace

TEST_CASE("engine.io: the sid of the answer to the first poll", "[wire][engine_io]") {
  const std::string open =
      R"(0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000})";
  for (const std::string& body : {
           open, open + "\x1e" + "40", "96:" + open, "\x00\x09\x06\xff"s + open,
           "0{ \"sid\" : \"lv_VI97HAXpY6yYWAAAC\" }"s,
           "0{\n  \"sid\":\t\"lv_VI97HAXpY6yYWAAAC\"\r\n}"s,
           "0{\"sid\":\"lv_VI97HAXpY6yYWAAAC\""s,  // the rest is not waited for
       }) {
    CAPTURE(body);
    CHECK(sid(body) == "lv_VI97HAXpY6yYWAAAC");
  }
  CHECK(sid(with_sid("a")) == "a");
  CHECK(sid(with_sid("8a4c5d36-1f0b-4c8e-9a55-0e6a2b7f9d11")) ==
        "8a4c5d36-1f0b-4c8e-9a55-0e6a2b7f9d11");
}

TEST_CASE("engine.io: what gives no sid", "[wire][engine_io]") {
  for (const std::string& body : {
           "{\"sid\":\"abc\"}"s,
           "1{\"sid\":\"abc\"}"s,
           "40{\"sid\":\"abc\"}"s,  // Socket.IO's own sid, of a namespace
           "0[\"sid\"]"s,
           "0{\"Sid\":\"abc\"}"s,
           "0{\"sid2\":\"abc\"}"s,
           "0{\"si\":\"abc\"}"s,
           "0{\"upgrades\":[],\"sid\":\"abc\"}"s,
           "0{\"sid\":\"\"}"s,
           "0{\"sid\":\"a b\"}"s,
           "0{\"sid\":\"a\\u0062\"}"s,
           "0{\"sid\":\"a\xc3\xa9\"}"s,
           "0{\"sid\":17}"s,
           "0{\"sid\" \"abc\"}"s,
           "0 {\"sid\":\"abc\"}"s,
           "96;0{\"sid\":\"abc\"}"s,
           "96:1{\"sid\":\"abc\"}"s,
           "\x00\x0a\xff\x30{\"sid\":\"abc\"}"s,
           "\x1f\x8b\x08\x00\x00\x00"s,
           "___eio[0](\"97:0{\\\"sid\\\":\\\"abc\\\"\");"s,
           "<!doctype html>"s,
       }) {
    CAPTURE(body);
    CHECK(sid(body) == "-");
  }
  for (const std::string& body : {""s, "0"s, "0{"s, "0{\"sid\":\"ab"s, "96"s, "\x00\x09"s}) {
    CAPTURE(body);
    CHECK(sid(body) == "+");
  }
}

TEST_CASE("engine.io: the sid's length and the look are bounded", "[wire][engine_io]") {
  CHECK(sid(with_sid(std::string(63, 'x'))) == std::string(63, 'x'));
  CHECK(sid(with_sid(std::string(64, 'x'))) == std::string(64, 'x'));
  CHECK(sid(with_sid(std::string(65, 'x'))) == "-");
  // The closing quote is the byte 255, 256 or 257.
  const auto padded = [](std::size_t n) { return "0{" + std::string(n, ' ') + "\"sid\":\"abc\""; };
  CHECK(sid(padded(255 - 13)) == "abc");
  CHECK(sid(padded(256 - 13)) == "abc");
  CHECK(sid(padded(257 - 13)) == "-");
  CHECK(sid(std::string(1000, '1')) == "-");
}

TEST_CASE("engine.io: the chunked coding is taken off", "[wire][engine_io]") {
  const std::string open = with_sid("abc");
  CHECK(sid("f\r\n" + open + "\r\n0\r\n\r\n", true) == "abc");
  CHECK(sid("0F;x=\"y\"\r\n" + open + "\r\n0\r\n\r\n", true) == "abc");
  std::string bytewise;
  for (const char c : open) bytewise += "1\r\n"s + c + "\r\n";
  CHECK(sid(bytewise + "0\r\n\r\n", true) == "abc");
  CHECK(sid("4\r\n0{\"s\r\nb\r\nid\":\"abc\"}\n\r\n0\r\n\r\n", true) == "abc");
  CHECK(sid("ffffffffffff\r\n" + open, true) == "abc");
  CHECK(sid("0\r\n\r\n" + open, true) == "-");
  CHECK(sid("4\r\n0{\"s\r\n0\r\n\r\n", true) == "-");
  CHECK(sid("\n\n\n", true) == "-");
  CHECK(sid(open, true) != "abc");
}

TEST_CASE("engine.io: the sid of a query", "[wire][engine_io]") {
  CHECK(sid_of("?EIO=4&transport=polling&t=x&sid=abc_-9") == "abc_-9");
  CHECK(sid_of("?sid=abc&sid=def") == "abc");
  CHECK(sid_of("sid=abc") == "abc");
  CHECK(sid_of("?sid=" + std::string(64, 'x')).size() == 64);
  for (const std::string& query :
       {""s, "?"s, "?sid"s, "?sid="s, "?xsid=abc"s, "?sidx=abc"s, "?SID=abc"s, "?sid=a%62c"s,
        "?sid=a+b"s, "?sid=&sid=abc"s, "?&=&"s, "?sid=" + std::string(65, 'x')}) {
    CAPTURE(query);
    CHECK(sid_of(query) == "");
  }
}

TEST_CASE("engine.io: which request asks for a sid", "[wire][engine_io]") {
  CHECK(is_opening_poll(request("GET", "?EIO=4&transport=polling&t=Nz9")));
  CHECK(is_opening_poll(request("GET", "?transport=polling&b64=1&EIO=3")));
  CHECK(is_opening_poll(request("POST", "?EIO=4&transport=polling")));
  CHECK_FALSE(is_opening_poll(request("OPTIONS", "?EIO=4&transport=polling")));
  CHECK_FALSE(is_opening_poll(request("GET", "?EIO=4&transport=polling&sid=abc")));
  CHECK_FALSE(is_opening_poll(request("GET", "?EIO=4&transport=websocket")));
  CHECK_FALSE(is_opening_poll(request("GET", "?EIO=5&transport=polling")));
  CHECK_FALSE(is_opening_poll(request("GET", "?transport=polling")));
  CHECK_FALSE(is_opening_poll(request("GET", "?EIO=4")));
  CHECK_FALSE(is_opening_poll(request("GET", "")));
}

}  // namespace fairlead::wire
