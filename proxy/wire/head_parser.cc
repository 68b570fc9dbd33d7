// Parsing trusts nothing, not even that a HeadScanner has seen the bytes: each line ends in CRLF,
// and every byte of it belongs to a part whose characters are checked.

#include "proxy/wire/head_parser.h"

#include "proxy/wire/chars.h"
#include "proxy/wire/framing.h"
#include "proxy/wire/target.h"

namespace fairlead::wire {
namespace {

constexpr std::string_view kCrlf = "\r\n";
constexpr unsigned kMaxLeadingLines = 2;
// A browser's handshake has 14 or so: one allocation instead of five.
constexpr std::size_t kUsualFields = 16;
// The longest registered method, UPDATEREDIRECTREF, has 17 characters.
constexpr std::size_t kMaxMethod = 32;
// Nobody's Connection is longer; it is searched once for every field that is forwarded.
constexpr std::size_t kMaxConnectionBytes = 1024;

// Takes the next line, without its CRLF, off the front of `rest`. False: there is none.
bool next_line(std::string_view& rest, std::string_view& line) {
  const std::size_t lf = rest.find('\n');
  if (lf == rest.npos || lf == 0 || rest[lf - 1] != '\r') return false;
  line = rest.substr(0, lf - 1);
  rest.remove_prefix(lf + 1);
  return true;
}

// Takes what stands before the next space; all of it where there is none.
std::string_view next_word(std::string_view& rest) {
  const std::size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end == rest.size() ? end : end + 1);
  return word;
}

// "HTTP/" DIGIT "." DIGIT, in capitals (RFC 9112 2.3).
HeadError parse_version(std::string_view text, int& minor_version) {
  if (text.size() != 8 || text.substr(0, 5) != "HTTP/" || !is_digit(text[5]) || text[6] != '.' ||
      !is_digit(text[7])) {
    return HeadError::malformed;
  }
  if (text[5] != '1' || text[7] > '1') return HeadError::unsupported_version;
  minor_version = text[7] - '0';
  return HeadError::none;
}

// method SP target SP version, single spaces (RFC 9112 3). A method longer than any a server knows
// is not implemented (501), as RFC 9112 3 asks for.
HeadError parse_request_line(std::string_view line, RequestHead& out) {
  out.method = next_word(line);
  out.target = next_word(line);
  if (!is_token(out.method)) return HeadError::malformed;
  if (out.method.size() > kMaxMethod) return HeadError::unsupported_method;
  const HeadError error = parse_version(line, out.minor_version);
  if (error != HeadError::none) return error;
  return split_target(out) ? HeadError::none : HeadError::malformed;
}

// version SP status [SP [reason]] (RFC 9112 4); the second space is left out by some servers.
HeadError parse_status_line(std::string_view line, ResponseHead& out) {
  const HeadError error = parse_version(next_word(line), out.minor_version);
  if (error != HeadError::none) return error;
  const std::string_view status = next_word(line);
  if (status.size() != 3 || !std::all_of(status.begin(), status.end(), is_digit) ||
      status[0] < '1' || status[0] > '5' || !is_text(line)) {
    return HeadError::malformed;
  }
  out.status = (status[0] - '0') * 100 + (status[1] - '0') * 10 + (status[2] - '0');
  out.reason = line;
  return HeadError::none;
}

// name ":" OWS value OWS, with nothing between name and colon (RFC 9112 5.1). A line that begins
// with a blank, obs-fold (5.2), has no valid name either.
bool parse_field(std::string_view line, Fields& out) {
  const std::size_t colon = line.find(':');
  if (colon == line.npos) return false;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trim(line.substr(colon + 1));
  if (!is_token(name) || !is_text(value)) return false;
  out.add(name, value);
  return true;
}

// The fields, the empty line, and nothing after it.
bool parse_fields(std::string_view rest, Fields& out) {
  out.reserve(kUsualFields);
  for (std::string_view line; next_line(rest, line);) {
    if (line.empty()) return rest.empty();
    if (!parse_field(line, out)) return false;
  }
  return false;
}

bool is_connection_bounded(const Fields& fields) {
  std::size_t bytes = 0;
  for (const Field& field : fields) {
    if (iequals(field.name, "Connection")) bytes += field.value.size();
  }
  return bytes <= kMaxConnectionBytes;
}

HeadError check_fields(const Fields& fields, int minor_version) {
  const HeadError error = check_framing(fields, minor_version);
  if (error != HeadError::none) return error;
  return is_connection_bounded(fields) ? HeadError::none : HeadError::malformed;
}

// Exactly one Host in HTTP/1.1, at most one in 1.0 (RFC 9112 3.2). An absolute-form's authority
// takes precedence, and a client makes Host the same (3.2.2): where they differ, the next hop could
// choose the other.
bool take_host(RequestHead& head) {
  const std::size_t count = head.fields.count("Host");
  if (count > 1 || (count == 0 && head.minor_version > 0)) return false;
  if (count == 0) return true;
  const std::string_view host = head.fields.get("Host");
  if (!head.host.empty()) return iequals(head.host, host);
  head.host = host;
  return is_authority(host);
}

}  // namespace

HeadError parse_request(std::string_view head, RequestHead& out) {
  out.host = out.path = out.query = {};
  out.fields.clear();
  for (unsigned i = 0; i < kMaxLeadingLines && head.substr(0, 2) == kCrlf; ++i) {
    head.remove_prefix(2);
  }
  std::string_view line;
  if (!next_line(head, line)) return HeadError::malformed;
  if (const HeadError error = parse_request_line(line, out); error != HeadError::none) return error;
  if (!parse_fields(head, out.fields) || !take_host(out)) return HeadError::malformed;
  // One of them would be believed by us, the other by the next hop (RFC 9112 6.3, 11.2).
  const bool both = out.fields.find("Content-Length") && out.fields.find("Transfer-Encoding");
  return both ? HeadError::malformed : check_fields(out.fields, out.minor_version);
}

HeadError parse_response(std::string_view head, ResponseHead& out) {
  out.status = 0;
  out.reason = {};
  out.fields.clear();
  std::string_view line;
  if (!next_line(head, line)) return HeadError::malformed;
  if (const HeadError error = parse_status_line(line, out); error != HeadError::none) return error;
  if (!parse_fields(head, out.fields)) return HeadError::malformed;
  return check_fields(out.fields, out.minor_version);
}

}  // namespace fairlead::wire
