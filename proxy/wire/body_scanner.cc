#include "proxy/wire/body_scanner.h"

#include "proxy/wire/chars.h"
#include "proxy/wire/framing.h"

namespace fairlead::wire {
namespace {

constexpr std::uint8_t kMaxSizeDigits = 16;
constexpr std::uint64_t kMaxChunk = INT64_MAX;
constexpr std::uint32_t kMaxExtension = 256;      // bytes between a chunk's size and its CRLF
constexpr std::uint32_t kMaxTrailers = 8 * 1024;  // bytes of all trailer lines

// Fields a recipient that merges trailers into the head would act upon (RFC 9110 6.5.1).
constexpr std::array<std::string_view, 16> kNotInTrailers = {"Content-Length",
                                                             "Transfer-Encoding",
                                                             "Host",
                                                             "Connection",
                                                             "Content-Type",
                                                             "Content-Encoding",
                                                             "Content-Range",
                                                             "Upgrade",
                                                             "Trailer",
                                                             "TE",
                                                             "Authorization",
                                                             "Proxy-Authorization",
                                                             "X-Forwarded-For",
                                                             "Cookie",
                                                             "Set-Cookie",
                                                             "Expect"};

constexpr int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char l = lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

bool may_be_trailer(std::string_view name) {
  return std::none_of(kNotInTrailers.begin(), kNotInTrailers.end(),
                      [name](std::string_view other) { return same_folded(name, other); });
}

}  // namespace

BodyScanner::BodyScanner(Framing framing) : kind_(framing.kind), padded_(framing.padded) {
  if (kind_ == Framing::Kind::length) remaining_ = framing.length;
  if (kind_ == Framing::Kind::until_close) remaining_ = UINT64_MAX;
  if (kind_ != Framing::Kind::chunked && remaining_ == 0) state_ = State::complete;
}

std::size_t BodyScanner::scan(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size() && state_ == State::more) at += next(bytes.substr(at)).taken;
  return at;
}

BodyScanner::Part BodyScanner::next(std::string_view bytes) {
  if (state_ != State::more) return {};
  const bool chunked = kind_ == Framing::Kind::chunked;
  const std::size_t coding = chunked ? skip_coding(bytes) : 0;
  if (state_ != State::more || coding == bytes.size()) return {coding, 0};
  const std::size_t payload = scan_data(bytes.size() - coding);
  if (remaining_ == 0) {
    if (chunked) {
      chunk_ = Chunk::data_cr;
    } else {
      state_ = State::complete;
    }
  }
  return {coding + payload, payload};
}

std::size_t BodyScanner::scan_data(std::size_t available) {
  const std::uint64_t taken = std::min<std::uint64_t>(available, remaining_);
  if (kind_ != Framing::Kind::until_close) remaining_ -= taken;
  payload_ += taken;
  return static_cast<std::size_t>(taken);
}

// What stands before the next byte of payload.
std::size_t BodyScanner::skip_coding(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size() && state_ == State::more && chunk_ != Chunk::data) {
    if (step(bytes[at])) {
      ++at;
    } else {
      state_ = State::error;
    }
  }
  return at;
}

// One byte of the coding itself (RFC 9112 7.1). False: it may not stand here.
bool BodyScanner::step(char c) {
  switch (chunk_) {
    case Chunk::size:
      return step_size(c);
    case Chunk::padding:
      return end_size(c);
    case Chunk::extension:
      return step_extension(c);
    case Chunk::size_lf:
      return c == '\n' && begin_chunk();
    case Chunk::data:
      return true;  // scan_data's
    case Chunk::data_cr:
      return expect(c, '\r', Chunk::data_lf);
    case Chunk::data_lf:
      return expect(c, '\n', Chunk::size);
    case Chunk::trailer_start:
      name_size_ = 0;
      return c == '\r' ? expect(c, '\r', Chunk::last_lf) : step_trailer_name(c);
    case Chunk::trailer_name:
      return step_trailer_name(c);
    case Chunk::trailer_value:
      return step_trailer_value(c);
    case Chunk::trailer_lf:
      return expect(c, '\n', Chunk::trailer_start);
    case Chunk::last_lf:
      if (c == '\n') state_ = State::complete;
      return c == '\n';
  }
  return false;
}

bool BodyScanner::expect(char c, char wanted, Chunk next) {
  chunk_ = next;
  return c == wanted;
}

bool BodyScanner::step_size(char c) {
  if (const int digit = hex_value(c); digit >= 0) {
    // Before the shift, so that no bit is lost; leading zeros are bounded too.
    if (++digits_ > kMaxSizeDigits || remaining_ > kMaxChunk >> 4) return false;
    remaining_ = remaining_ << 4 | static_cast<std::uint64_t>(digit);
    return true;
  }
  return digits_ != 0 && end_size(c);
}

// Behind the digits: blanks are read in two ways by readers of requests (BWS, RFC 9112 7.1.1), and
// common in old servers' answers.
bool BodyScanner::end_size(char c) {
  if (padded_ && is_blank(c)) {
    chunk_ = Chunk::padding;
    return ++overhead_ <= kMaxExtension;
  }
  chunk_ = c == ';' ? Chunk::extension : Chunk::size_lf;
  return c == ';' || c == '\r';
}

bool BodyScanner::step_extension(char c) {
  if (c == '\r') return expect(c, '\r', Chunk::size_lf);
  return is_text_char(c) && ++overhead_ <= kMaxExtension;
}

bool BodyScanner::begin_chunk() {
  digits_ = 0;
  overhead_ = 0;
  chunk_ = remaining_ == 0 ? Chunk::trailer_start : Chunk::data;
  return true;
}

bool BodyScanner::step_trailer_name(char c) {
  trailers_ += c;
  if (c == ':') {
    chunk_ = Chunk::trailer_value;
    return name_size_ != 0 && may_be_trailer({name_.data(), name_size_}) && count_trailer_byte();
  }
  chunk_ = Chunk::trailer_name;
  if (name_size_ < kNameBytes) name_[name_size_++] = c;
  return is_token_char(c) && count_trailer_byte();
}

bool BodyScanner::step_trailer_value(char c) {
  if (c == '\r') {
    trailers_ += "\r\n";  // the LF is next, or the body is refused
    return expect(c, '\r', Chunk::trailer_lf);
  }
  trailers_ += c;
  return is_text_char(c) && count_trailer_byte();
}

bool BodyScanner::count_trailer_byte() {
  return ++overhead_ <= kMaxTrailers;
}

}  // namespace fairlead::wire
