// Finding the end of a head. Runs of ordinary text are skipped; only line ends and what is not text
// are looked at one by one, in order, so the result does not depend on how the bytes arrived.

#include "proxy/wire/chars.h"
#include "proxy/wire/head_parser.h"

namespace fairlead::wire {
namespace {

constexpr unsigned kMaxLeadingLines = 2;

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
  take_control(*stop);
  return stop + 1;
}

// RFC 9112 2.2, RFC 9110 5.5. Of an answer a bare LF ends the line, and a control within it passes
// unless it is NUL.
void HeadScanner::take_control(char c) {
  if (c == '\r') {
    cr_ = true;
  } else if (of_ == Of::request || c == '\0') {
    fail(HeadError::malformed);
  } else if (c == '\n') {
    end_line();
  } else if (!in_line_) {
    begin_line(c);
  }
}

const char* HeadScanner::flaw() const {
  if (error_ == HeadError::too_large) return "its head is too large";
  if (error_ == HeadError::too_many_fields) return "its head has too many fields";
  return "a bare CR, a NUL or a folded line in its head";
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
