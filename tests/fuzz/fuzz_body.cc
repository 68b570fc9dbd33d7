// Bodies: the first byte is the size of the pieces, the second chooses the framing, the rest is the
// body.
//  - Fed in pieces and whole, the scanner takes the same bytes and comes to the same end.
//  - A chunked body that was accepted is read again by a plain, slow reader that knows no extension
//  or
//    trailer rules; both must find the same payload and the same end.
//  - What BodyTransfer writes for it is read by both as the same payload.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "proxy/wire/body_transfer.h"

using namespace fairlead::wire;

namespace {

using State = BodyScanner::State;
using Kind = Framing::Kind;

void require(bool holds) {
  if (!holds) std::abort();
}

Framing framing_of(std::uint8_t choice) {
  switch (choice % 8) {
    case 0:
      return {Kind::none, 0};
    case 1:
      return {Kind::length, static_cast<std::uint64_t>(choice / 8)};
    case 2:
      return {Kind::until_close, 0};
    case 3:
      return {Kind::chunked, 0, true};
    default:
      return {Kind::chunked, 0};
  }
}

std::uint64_t hex(std::string_view digits) {
  std::uint64_t value = 0;
  for (const char c : digits) {
    value = value * 16 + static_cast<std::uint64_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return value;
}

std::uint64_t payload_of(std::string_view body) {
  std::uint64_t payload = 0;
  for (;;) {
    const std::size_t end = body.find("\r\n");
    const std::uint64_t size = hex(body.substr(0, body.find_first_of(" \t;\r")));
    require(end != body.npos);
    body.remove_prefix(end + 2);
    if (size == 0) break;
    require(size + 2 <= body.size() && body.substr(size, 2) == "\r\n");
    payload += size;
    body.remove_prefix(size + 2);
  }
  require(body.find('\0') == body.npos);
  require(body == "\r\n" || body.find("\r\n\r\n") == body.size() - 4);
  return payload;
}

// What is written for it is a body again, with the same payload and nothing behind it.
void require_same_anew(Framing in, std::string_view input, std::size_t taken,
                       std::uint64_t payload) {
  std::string copy(input);
  std::string out;
  BodyTransfer transfer(in, Kind::chunked);
  require(transfer.append(copy, out) == taken && transfer.state() == State::complete);
  BodyScanner again({Kind::chunked, 0});
  require(again.scan(out) == out.size() && again.state() == State::complete);
  require(again.payload_bytes() == payload && payload_of(out) == payload);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::size_t piece = data[0] % 64 + 1U;
  const Framing framing = framing_of(data[1]);

  BodyScanner whole(framing);
  const std::size_t taken = whole.scan(input);
  require(taken <= input.size() && whole.payload_bytes() <= taken);

  BodyScanner pieces(framing);
  std::size_t sum = 0;
  for (std::size_t at = 0; at < input.size() && pieces.state() == State::more; at += piece) {
    sum += pieces.scan(input.substr(at, piece));
  }
  require(sum == taken && pieces.state() == whole.state());
  require(pieces.payload_bytes() == whole.payload_bytes());

  if (whole.state() == State::more) require(taken == input.size());
  if (framing.kind == Kind::chunked && whole.state() == State::complete) {
    require(payload_of(input.substr(0, taken)) == whole.payload_bytes());
    require_same_anew(framing, input, taken, whole.payload_bytes());
  }
  return 0;
}
