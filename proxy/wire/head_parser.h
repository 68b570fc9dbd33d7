#pragma once
// Bounded parsing of HTTP/1.1 heads (RFC 9112 2-5). A request is read strictly. What could be read
// in two ways is refused: bare CR or LF, NUL and other controls, obs-fold, white space before the
// colon, several Host or Content-Length, Content-Length with Transfer-Encoding, a target that is
// not one of the known forms.
// A server's answer may have what RFC 9112 lets a proxy mend, since it is written anew for the
// client: bare LF (2.2), blanks before a colon (5.1), controls in a value (RFC 9110 5.5), equal
// Content-Lengths (RFC 9110 8.6), any status from 100 to 999, a higher minor version (RFC
// 9110 2.5). What leaves in doubt where its body ends is refused here, too.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proxy/wire/head.h"

namespace fairlead::wire {

enum class HeadError : std::uint8_t {
  none,
  malformed,
  too_large,
  too_many_fields,
  unsupported_version,          // not HTTP/1.x with x in 0, 1
  unsupported_transfer_coding,  // another than chunked
  unsupported_method,           // longer than any in use
};

struct HeadLimits {
  std::size_t bytes;  // of the whole head, the empty line included
  std::size_t fields;
};

// Finds where a head ends while it arrives, looking at each byte once, and refuses early what no
// head can hold.
class HeadScanner {
 public:
  enum class State : std::uint8_t { more, complete, error };
  enum class Of : std::uint8_t { request, answer };

  explicit HeadScanner(HeadLimits limits, Of of = Of::request) : limits_(limits), of_(of) {}

  // `bytes` is what came since the last call. When complete, size() tells how many bytes, over all
  // calls, belong to the head; the rest of the last call's bytes is what follows it.
  // Up to two empty lines before a request line are skipped as part of the head (RFC 9112 2.2);
  // parse_response refuses them.
  State feed(std::string_view bytes);

  std::size_t size() const { return size_; }

  HeadError error() const { return error_; }  // malformed, too_large, too_many_fields

  // The same of an answer in a few words, for the log.
  const char* flaw() const;

 private:
  const char* step(const char* p, const char* end);
  void take_control(char c);
  void begin_line(char first);
  void end_line();
  State fail(HeadError error);

  HeadLimits limits_;
  Of of_;
  std::size_t size_ = 0;
  std::size_t fields_ = 0;
  unsigned leading_lines_ = 0;
  bool cr_ = false;       // the last byte was a CR
  bool in_line_ = false;  // the current line is not empty
  bool in_head_ = false;  // the start line has begun
  bool complete_ = false;
  HeadError error_ = HeadError::none;
};

// How a message's body is delimited (RFC 9112 6.3).
struct Framing {
  enum class Kind : std::uint8_t { none, length, chunked, until_close };
  Kind kind = Kind::none;
  std::uint64_t length = 0;
  bool padded = false;  // blanks behind a chunk's size are taken: they are in some servers' answers
};

// Parses a complete head (as HeadScanner found it). The views in `out` point into `head`. Of an
// answer that is refused, `out.flaw` says why.
HeadError parse_request(std::string_view head, RequestHead& out);
HeadError parse_response(std::string_view head, ResponseHead& out);

// The body that follows. For a request: none, length or chunked; both Content-Length and
// Transfer-Encoding, or a transfer coding on HTTP/1.0, is malformed. parse_request has already
// refused what is wrong here.
Framing request_framing(const RequestHead& head);

// For an answer to `method`: HEAD, 1xx, 204 and 304 have no body, whatever their fields say (RFC
// 9112 6.3, item 1).
struct ResponseFraming {
  bool ok = true;  // false: Content-Length and Transfer-Encoding
  Framing framing{};
  // The fields announce a body that the status rules out. They are not to be passed on, and the
  // connection is not to be used again: the server may send that body.
  bool contradicted = false;
};

ResponseFraming response_framing(const ResponseHead& head, std::string_view method);

}  // namespace fairlead::wire
