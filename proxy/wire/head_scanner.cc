// Finding the end of a head. Runs of ordinary text are skipped eight bytes at a time; only line
// ends and what is not text are looked at one by one, in order, so the result does not depend on
// how the bytes arrived.

#include "proxy/wire/chars.h"
#include "proxy/wire/head_parser.h"

namespace fairlead::wire {
namespace {

constexpr unsigned kMaxLeadingLines = 2;

// The first byte in [p, end) that is not text, or end; ordinary text is skipped by eight bytes.
const char* skip_text(const char* p, const char* end) {
  while (end - p >= 8) {
    const char* const next = p + 8;
    if (chars::has_control(p)) {
      p = std::find_if_not(p, next, is_text_char);
      if (p != next) return p;  // else it was an HTAB
    }
    p = next;
  }
  return std::find_if_not(p, end, is_text_char);
}

}  // namespace

HeadScanner::State HeadScanner::feed(std::string_view bytes) {
  if (error_ != HeadError::none) return State::error;
  if (complete_) return State::complete;
  const std::size_t room = limits_.bytes - size_;
  const char* p = bytes.data();
  const char* const end = p + std::min(bytes.size(), room);
  const char* const begin = p;
  while (p != end && !complete_ && error_ == HeadError::none) p = step(p, end);
  size_ += static_cast<std::size_t>(p - begin);
  if (error_ != HeadError::none) return State::error;
  if (complete_) return State::complete;
  return size_ == limits_.bytes ? fail(HeadError::too_large) : State::more;
}

// Takes a run of text and what follows it, or the LF of a line's end.
const char* HeadScanner::step(const char* p, const char* end) {
  if (cr_) {
    cr_ = false;
    if (*p == '\n') {
      end_line();
    } else {
      fail(HeadError::malformed);  // bare CR (RFC 9112 2.2)
    }
    return p + 1;
  }
  const char* const stop = skip_text(p, end);
  if (stop != p && !in_line_) begin_line(*p);
  if (stop == end || error_ != HeadError::none) return stop;
  if (*stop == '\r') {
    cr_ = true;
  } else {
    fail(HeadError::malformed);  // bare LF, NUL, another control (RFC 9112 2.2, RFC 9110 5.5)
  }
  return stop + 1;
}

void HeadScanner::begin_line(char first) {
  in_line_ = true;
  if (is_blank(first)) {
    fail(HeadError::malformed);  // obs-fold (RFC 9112 5.2), or blanks before a start line
  } else if (!in_head_) {
    in_head_ = true;
  } else if (fields_ == limits_.fields) {
    fail(HeadError::too_many_fields);
  } else {
    ++fields_;
  }
}

void HeadScanner::end_line() {
  if (in_line_) {
    in_line_ = false;
  } else if (in_head_) {
    complete_ = true;
  } else if (++leading_lines_ > kMaxLeadingLines) {
    fail(HeadError::malformed);
  }
}

HeadScanner::State HeadScanner::fail(HeadError error) {
  if (error_ == HeadError::none) error_ = error;
  return State::error;
}

}  // namespace fairlead::wire
