// Parsing trusts nothing, not even that a HeadScanner has seen the bytes: each line ends in CRLF
// (of an answer in LF, too), and every byte of it belongs to a part whose characters are checked.

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

// The same of an answer, whose lines may end in LF alone (RFC 9112 2.2).
bool next_answer_line(std::string_view& rest, std::string_view& line) {
  const std::size_t lf = rest.find('\n');
  if (lf == rest.npos) return false;
  line = rest.substr(0, lf);
  if (line.ends_with('\r')) line.remove_suffix(1);
  rest.remove_prefix(lf + 1);
  return true;
}

// What a proxy may take and write as spaces (RFC 9110 5.5): all but CR, LF and NUL.
bool is_mendable(std::string_view text) {
  return is_text(text) || std::none_of(text.begin(), text.end(),
                                       [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
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

HeadError refuse(ResponseHead& out, HeadError error, const char* flaw) {
  out.flaw = flaw;
  return error;
}

// "HTTP/1." DIGIT; a higher minor version than ours is served as ours (RFC 9110 2.5).
HeadError parse_answer_version(std::string_view text, ResponseHead& out) {
  const bool later = text.size() == 8 && text.starts_with("HTTP/1.") && text[7] > '1';
  const HeadError error =
      parse_version(later && is_digit(text[7]) ? "HTTP/1.1" : text, out.minor_version);
  if (error == HeadError::none) return error;
  return refuse(out, error,
                error == HeadError::malformed ? "it does not begin with HTTP/1.1"
                                              : "its HTTP version is not 1.x");
}

// version SP status [SP [reason]] (RFC 9112 4); the second space is left out by some servers. A
// status above 599 is none that RFC 9110 15 knows, and passes as it is.
HeadError parse_status_line(std::string_view line, ResponseHead& out) {
  const HeadError error = parse_answer_version(next_word(line), out);
  if (error != HeadError::none) return error;
  const std::string_view status = next_word(line);
  if (status.size() != 3 || !std::all_of(status.begin(), status.end(), is_digit) ||
      status[0] < '1') {
    return refuse(out, HeadError::malformed, "its status is not 100 to 999");
  }
  if (!is_mendable(line))
    return refuse(out, HeadError::malformed, "a bare CR or NUL in its reason");
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

// Of an answer. Blanks before the colon are removed, as RFC 9112 5.1 wants it of a proxy; not where
// they disguise how the body ends. Null, or what is wrong.
const char* parse_answer_field(std::string_view line, Fields& out) {
  const std::size_t colon = line.find(':');
  if (colon == line.npos) return "a line of its head has no colon";
  std::string_view name = line.substr(0, colon);
  while (!name.empty() && is_blank(name.back())) name.remove_suffix(1);
  if (name.size() != colon && is_framing_name(name))
    return "a blank before the colon of its framing";
  const std::string_view value = trim(line.substr(colon + 1));
  if (!is_token(name)) return "the name of a field is not valid";
  if (!is_mendable(value)) return "a bare CR or NUL in the value of a field";
  out.add(name, value);
  return nullptr;
}

const char* parse_answer_fields(std::string_view rest, Fields& out) {
  out.reserve(kUsualFields);
  for (std::string_view line; next_answer_line(rest, line);) {
    if (line.empty()) return rest.empty() ? nullptr : "its head ends early";
    if (const char* flaw = parse_answer_field(line, out)) return flaw;
  }
  return "its head does not end";
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
  out.flaw = nullptr;
  out.fields.clear();
  std::string_view line;
  if (!next_answer_line(head, line))
    return refuse(out, HeadError::malformed, "it has no status line");
  if (const HeadError error = parse_status_line(line, out); error != HeadError::none) return error;
  if (const char* flaw = parse_answer_fields(head, out.fields))
    return refuse(out, HeadError::malformed, flaw);
  if (!is_connection_bounded(out.fields))
    return refuse(out, HeadError::malformed, "its Connection is too long");
  return check_answer_framing(out);
}

}  // namespace fairlead::wire
