#include "proxy/wire/body_transfer.h"

#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace fairlead::wire {
namespace {

using Kind = Framing::Kind;
using State = BodyTransfer::State;

constexpr Framing kChunked{Kind::chunked, 0};

struct Sent {
  std::string out;
  std::size_t taken = 0;
  State state = State::more;
  bool operator==(const Sent&) const = default;
};

// Through pass(), each piece with exactly the room it may ask for around it.
Sent pass(Framing in, Kind out, std::string_view bytes, std::size_t piece) {
  BodyTransfer transfer(in, out);
  Sent sent;
  for (std::size_t at = 0; at < bytes.size() && transfer.state() == State::more; at += piece) {
    const std::string_view part = bytes.substr(at, piece);
    std::vector<char> room(BodyTransfer::kRoomBefore + part.size() + BodyTransfer::kRoomBehind);
    const std::span<char> inside =
        std::span<char>(room).subspan(BodyTransfer::kRoomBefore, part.size());
    std::copy(part.begin(), part.end(), inside.begin());
    const BodyTransfer::Passed passed = transfer.pass(inside);
    sent.out.append(passed.out.data(), passed.out.size()).append(transfer.tail());
    sent.taken += passed.taken;
  }
  sent.state = transfer.state();
  return sent;
}

Sent append(Framing in, Kind out, std::string bytes) {
  BodyTransfer transfer(in, out);
  Sent sent;
  sent.taken = transfer.append(bytes, sent.out);
  sent.state = transfer.state();
  return sent;
}

// The payload of a chunked body without extensions, read by a reader of its own.
std::string payload_of(std::string_view body, std::string& trailers) {
  std::string payload;
  for (;;) {
    const std::size_t end = body.find("\r\n");
    const std::size_t size = std::stoul(std::string(body.substr(0, end)), nullptr, 16);
    CHECK(body.substr(0, end).find(';') == body.npos);
    body.remove_prefix(end + 2);
    if (size == 0) break;
    payload += body.substr(0, size);
    REQUIRE(body.substr(size, 2) == "\r\n");
    body.remove_prefix(size + 2);
  }
  trailers = body;
  return payload;
}

}  // namespace

TEST_CASE("transfer: a length leaves as it came, to its last byte", "[wire][body_transfer]") {
  for (std::size_t piece = 1; piece < 8; ++piece) {
    CHECK(pass({Kind::length, 5}, Kind::length, "12345GET /", piece).out == "12345");
  }
  CHECK(append({Kind::length, 5}, Kind::length, "12345GET /") == Sent{"12345", 5, State::complete});
  CHECK(append({Kind::length, 5}, Kind::length, "123") == Sent{"123", 3, State::more});
  CHECK(append({Kind::none, 0}, Kind::none, "GET /") == Sent{"", 0, State::complete});
}

TEST_CASE("transfer: chunks are written anew, their extensions gone", "[wire][body_transfer]") {
  CHECK(append(kChunked, Kind::chunked, "5;x=y\r\nhello\r\n0;z\r\n\r\nGET /") ==
        Sent{"5\r\nhello\r\n0\r\n\r\n", 21, State::complete});
  CHECK(append(kChunked, Kind::chunked, "0005\r\nhello\r\n1\r\n!\r\n") ==
        Sent{"6\r\nhello!\r\n", 19, State::more});
  CHECK(append(kChunked, Kind::chunked, "5\r\n") == Sent{"", 3, State::more});
  CHECK(pass(kChunked, Kind::chunked, "5;x=y\r\nhello\r\n0;z\r\n\r\nGET /", 100) ==
        Sent{"5\r\nhello\r\n0\r\n\r\n", 21, State::complete});
}

TEST_CASE("transfer: however the bytes come, the payload and the end are the same",
          "[wire][body_transfer]") {
  const std::string big(300, 'b');
  const std::string bytes = "5;x=y\r\nhello\r\n1\r\n,\r\n12c\r\n" + big +
                            "\r\nA\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\nNEXT";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    CAPTURE(piece);
    const Sent sent = pass(kChunked, Kind::chunked, bytes, piece);
    CHECK(sent.state == State::complete);
    CHECK(sent.taken == bytes.size() - 4);
    std::string trailers;
    CHECK(payload_of(sent.out, trailers) == "hello," + big + "0123456789");
    CHECK(trailers == "X-Sum: 1\r\n\r\n");
    CHECK(pass(kChunked, Kind::until_close, bytes, piece).out == "hello," + big + "0123456789");
  }
}

TEST_CASE("transfer: what ends with the connection becomes chunks and an end",
          "[wire][body_transfer]") {
  CHECK(pass({Kind::until_close, 0}, Kind::chunked, "hello", 5).out == "5\r\nhello\r\n");
  CHECK(pass({Kind::until_close, 0}, Kind::until_close, "hello", 2).out == "hello");
  std::string out;
  BodyTransfer({Kind::until_close, 0}, Kind::chunked).append_end(out);
  CHECK(out == "0\r\n\r\n");
  out.clear();
  BodyTransfer({Kind::until_close, 0}, Kind::until_close).append_end(out);
  CHECK(out.empty());
}

TEST_CASE("transfer: trailers pass unless they decide something", "[wire][body_transfer]") {
  struct Row {
    const char* trailer;
    bool passes;
  };

  const auto row = GENERATE(values<Row>({
      {"X-Checksum: abc", true},
      {"Server-Timing: db;dur=1", true},
      {"ETag: \"x\"", true},
      {"Digest:", true},
      {"X-Forwarded-For2: 1", false},
      {"x_forwarded-proto: https", false},
      {"X-Forwarded-Ssl: on", false},
      {"X.Forwarded.User: root", false},
      {"X-Forwarded: for=1", false},
      {"Proxy: evil.org", false},
      {"Fairlead-Reattached: 1", false},
      {"traceparent: 00", false},
      {"X-Real-IP: 1", false},
      {"X-Request-Id: 1", false},
      {"Forwarded: for=1", false},
      {"Proxy-Authenticate: x", false},
      {"Sec-Fetch-Site: none", false},
      {"Cache-Control: no-store", false},
      {"Location: /", false},
      {"If-Match: *", false},
      {"Max-Forwards: 1", false},
      {"Keep-Alive: timeout=5", false},
  }));
  CAPTURE(row.trailer);
  const std::string line = std::string(row.trailer) + "\r\n";
  const Sent sent = append(kChunked, Kind::chunked, "1\r\na\r\n0\r\n" + line + "\r\n");
  CHECK(sent.state == State::complete);
  const bool passed = sent.out.find(std::string(row.trailer).substr(0, 4)) != std::string::npos;
  CHECK(passed == row.passes);
  CHECK(sent.out.ends_with("\r\n\r\n"));
}

TEST_CASE("transfer: trailers that forge framing are an error",
          "[wire][body_transfer][smuggling]") {
  for (const char* name : {"Content-Length", "transfer_encoding", "Host", "Authorization"}) {
    CAPTURE(name);
    const std::string bytes = "1\r\na\r\n0\r\n" + std::string(name) + ": 5\r\n\r\n";
    CHECK(append(kChunked, Kind::chunked, bytes).state == State::error);
    CHECK(BodyTransfer(kChunked, Kind::chunked).probe(bytes) == State::error);
  }
}

TEST_CASE("transfer: a probe changes nothing", "[wire][body_transfer]") {
  BodyTransfer transfer(kChunked, Kind::chunked);
  CHECK(transfer.probe("5\r\nhello\r\n0\r\n\r\n") == State::complete);
  CHECK(transfer.state() == State::more);
  CHECK(transfer.payload_bytes() == 0);
}

}  // namespace fairlead::wire
