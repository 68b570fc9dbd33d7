#include "proxy/wire/body_transfer.h"

#include <array>
#include <cassert>
#include <charconv>
#include <cstring>

#include "proxy/wire/trailers.h"

namespace fairlead::wire {
namespace {

constexpr std::string_view kCrlf = "\r\n";
constexpr std::string_view kLastChunk = "0\r\n\r\n";

// "1f40\r\n"
struct SizeLine {
  explicit SizeLine(std::size_t size) {
    char* const end = std::to_chars(text.data(), text.data() + 16, size, 16).ptr;
    std::memcpy(end, kCrlf.data(), kCrlf.size());
    length = static_cast<std::size_t>(end - text.data()) + kCrlf.size();
  }

  std::array<char, 18> text{};
  std::size_t length = 0;
};

}  // namespace

BodyTransfer::BodyTransfer(Framing in, Framing::Kind out)
    : scanner_(in), chunked_(out == Framing::Kind::chunked) {
  assert(!chunked_ || in.kind != Framing::Kind::length);
}

// The payload's pieces are moved together, to behind the first: where there is one, as there mostly
// is, nothing moves.
BodyTransfer::Decoded BodyTransfer::decode(std::span<char> bytes) {
  Decoded got;
  char* to = nullptr;
  while (got.taken < bytes.size() && scanner_.state() == State::more) {
    const auto rest = bytes.subspan(got.taken);
    const BodyScanner::Part part = scanner_.next({rest.data(), rest.size()});
    got.taken += part.taken;
    if (part.payload == 0) continue;
    char* const from = rest.data() + part.taken - part.payload;
    if (to == nullptr) {
      got.payload = {from, 0};
      to = from;
    } else if (to != from) {
      std::memmove(to, from, part.payload);
    }
    to += part.payload;
    got.payload = {got.payload.data(), got.payload.size() + part.payload};
  }
  return got;
}

BodyTransfer::Passed BodyTransfer::pass(std::span<char> bytes) {
  const Decoded got = decode(bytes);
  const std::span<char> payload = got.payload;
  tail_.clear();
  if (!chunked_) return {got.taken, payload};
  const bool ends = scanner_.state() == State::complete;
  if (payload.empty()) {
    if (ends) tail_ = last_chunk();
    return {got.taken, {}};
  }
  const SizeLine size(payload.size());
  char* const begin = payload.data() - size.length;
  char* end = payload.data() + payload.size();
  std::memcpy(begin, size.text.data(), size.length);
  std::memcpy(end, kCrlf.data(), kCrlf.size());
  end += kCrlf.size();
  // The last chunk came with at least as many bytes behind the payload as it leaves with.
  if (ends && scanner_.trailers().empty()) {
    std::memcpy(end, kLastChunk.data(), kLastChunk.size());
    end += kLastChunk.size();
  } else if (ends) {
    tail_ = last_chunk();
  }
  return {got.taken, {begin, end}};
}

std::size_t BodyTransfer::append(std::span<char> bytes, std::string& out) {
  const Decoded got = decode(bytes);
  const std::string_view payload(got.payload.data(), got.payload.size());
  if (!chunked_) {
    out += payload;
    return got.taken;
  }
  if (!payload.empty()) {
    const SizeLine size(payload.size());
    out.append(size.text.data(), size.length).append(payload).append(kCrlf);
  }
  if (scanner_.state() == State::complete) out += last_chunk();
  return got.taken;
}

void BodyTransfer::append_end(std::string& out) const {
  if (chunked_) out += kLastChunk;
}

std::string BodyTransfer::last_chunk() const {
  if (scanner_.trailers().empty()) return std::string(kLastChunk);
  std::string text = "0\r\n";
  append_trailers(scanner_.trailers(), text);
  return text += kCrlf;
}

BodyTransfer::State BodyTransfer::probe(std::string_view bytes) const {
  BodyScanner copy = scanner_;
  copy.scan(bytes);
  return copy.state();
}

}  // namespace fairlead::wire
