#include "proxy/wire/engine_io.h"

#include <algorithm>

#include "proxy/wire/chars.h"

namespace fairlead::wire {
namespace {

constexpr std::string_view kKey = "sid\"";
constexpr std::uint32_t kHugeChunk = 1 << 20;  // beyond anything looked at

bool is_sid_char(char c) {
  return is_class(c, chars::kDigit | chars::kAlpha) || c == '-' || c == '_';
}

bool is_json_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// -1: no hexadecimal digit.
int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char low = lower(c);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

}  // namespace

bool is_sid(std::string_view text) {
  return !text.empty() && text.size() <= kSidBytes &&
         std::all_of(text.begin(), text.end(), is_sid_char);
}

std::string_view sid_of(std::string_view query) {
  const std::string_view sid = query_value(query, "sid");
  return is_sid(sid) ? sid : std::string_view{};
}

bool is_opening_poll(const RequestHead& head) {
  if (head.method != "GET" && head.method != "POST") return false;
  const std::string_view version = query_value(head.query, "EIO");
  return (version == "3" || version == "4") && query_value(head.query, "transport") == "polling" &&
         query_value(head.query, "sid").empty();
}

SidReader::State SidReader::feed(std::string_view bytes) {
  for (const char c : bytes) {
    if (state_ != State::more) break;
    if (++seen_ > kLook) {
      state_ = State::none;
    } else if (is_payload(c)) {
      step(c);
    }
  }
  return state_;
}

// Takes the chunked coding off. What is no valid coding yields no payload, or one the steps refuse.
bool SidReader::is_payload(char c) {
  switch (framing_) {
    case Framing::off:
      return true;
    case Framing::size: {
      const int digit = hex_value(c);
      if (digit >= 0) {
        chunk_ = std::min(chunk_ * 16 + static_cast<std::uint32_t>(digit), kHugeChunk);
        return false;
      }
      framing_ = c == '\n' ? Framing::data : Framing::size_rest;
      break;
    }
    case Framing::size_rest:  // an extension, and CR
      if (c == '\n') framing_ = Framing::data;
      break;
    case Framing::data:
      if (--chunk_ == 0) framing_ = Framing::data_end;
      return true;
    case Framing::data_end:
      if (c == '\n') framing_ = Framing::size;
      return false;
  }
  if (framing_ == Framing::data && chunk_ == 0) state_ = State::none;  // the last chunk
  return false;
}

void SidReader::step(char c) {
  switch (step_) {
    case Step::start:
      return begin(c);
    case Step::length:
      if (!is_digit(c)) expect(c, ':', Step::packet);
      return;
    case Step::binary_length:
      if (static_cast<unsigned char>(c) > 9) expect(c, '\xff', Step::packet);
      return;
    case Step::packet:
      return expect(c, '0', Step::brace);
    case Step::brace:
      return expect(c, '{', Step::key_quote);
    case Step::key_quote:
      if (!is_json_space(c)) expect(c, '"', Step::key);
      return;
    case Step::key:
      return step_key(c);
    case Step::colon:
      if (!is_json_space(c)) expect(c, ':', Step::value_quote);
      return;
    case Step::value_quote:
      if (!is_json_space(c)) expect(c, '"', Step::value);
      return;
    case Step::value:
      return step_value(c);
  }
}

// "0{" is version 4, "96:0{" version 3: a length has two digits at least and no leading zero.
void SidReader::begin(char c) {
  if (c == '0') {
    step_ = Step::brace;
  } else if (c == '\0') {
    step_ = Step::binary_length;
  } else if (is_digit(c)) {
    step_ = Step::length;
  } else {
    state_ = State::none;
  }
}

void SidReader::step_key(char c) {
  if (c != kKey[key_]) {
    state_ = State::none;
  } else if (++key_ == kKey.size()) {
    step_ = Step::colon;
  }
}

void SidReader::step_value(char c) {
  if (c == '"' && size_ > 0) {
    state_ = State::found;
  } else if (!is_sid_char(c) || size_ == kSidBytes) {
    state_ = State::none;
  } else {
    sid_[size_++] = c;
  }
}

void SidReader::expect(char c, char wanted, Step next) {
  if (c == wanted) {
    step_ = next;
  } else {
    state_ = State::none;
  }
}

}  // namespace fairlead::wire
