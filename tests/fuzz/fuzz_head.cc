// Heads: the first byte is the size of the pieces, the rest is what a peer sends.
//  - Fed in pieces and whole, the scanner says the same.
//  - An accepted head cannot be read in two ways; a second, naive reader looks for what must not be
//  there.
//  - Parse, write, parse gives the same head.
//  - A path has one normal form, and what stands behind a prefix is no authority.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/wire/framing.h"
#include "proxy/wire/handshake.h"
#include "proxy/wire/head_parser.h"
#include "proxy/wire/head_writer.h"
#include "proxy/wire/path.h"

using namespace fairlead::wire;

namespace {

constexpr HeadLimits kLimits{2048, 20};

void require(bool holds) {
  if (!holds) std::abort();
}

void scan_agrees(std::string_view input, std::size_t piece, HeadScanner& whole) {
  const HeadScanner::State want = whole.feed(input);
  HeadScanner pieces(kLimits);
  HeadScanner::State state = HeadScanner::State::more;
  for (std::size_t at = 0; at < input.size() && state == HeadScanner::State::more; at += piece) {
    state = pieces.feed(input.substr(at, piece));
  }
  require(state == want && pieces.error() == whole.error());
  if (want == HeadScanner::State::complete) require(pieces.size() == whole.size());
}

void path_has_one_form(std::string_view path) {
  const NormalPath normal(path);
  if (!normal.ok()) return;
  const std::string text(normal.text());
  require(text.starts_with('/') && NormalPath(text).text() == text);
  for (const char* part : {"//", "/./", "/../", "\\"}) require(text.find(part) == text.npos);
  const std::string prefix = text.substr(0, text.find('/', 1));
  const auto behind = behind_prefix(path, prefix);
  require(behind && (prefix == "/" || behind->find_first_of("/\\") != 0));
}

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

// What the most forgiving recipient makes of it: '_' is '-'.
std::string folded(std::string_view text) {
  std::string out = lowered(text);
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

std::size_t lines_with(const std::string& head, const std::string& start) {
  std::size_t count = 0;
  for (std::size_t at = head.find('\n' + start); at != head.npos;
       at = head.find('\n' + start, at + 1)) {
    ++count;
  }
  return count;
}

void is_unambiguous(std::string_view head, int minor_version) {
  for (std::size_t i = 0; i < head.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(head[i]);
    require(c != '\n' || (i > 0 && head[i - 1] == '\r'));
    require(c != '\r' || head[i + 1] == '\n');
    require(c != 0x7f && (c >= 0x20 || c == '\t' || c == '\r' || c == '\n'));
    require(i == 0 || head[i - 1] != '\n' || (c != ' ' && c != '\t'));
  }
  const std::string lines = folded(head);
  const std::string plain = lowered(head);
  for (const char* name : {"content-length", "transfer-encoding"}) {
    const std::string field(name);
    require(lines_with(lines, field + ":") <= 1);
    require(lines_with(lines, field + " ") == 0 && lines_with(lines, field + "\t") == 0);
    require(lines_with(lines, field + ":") == lines_with(plain, field + ":"));
  }
  require(minor_version == 1 || lines_with(lines, "transfer-encoding:") == 0);
}

void same_fields(const Fields& a, const Fields& b) {
  require(a.size() == b.size());
  for (auto x = a.begin(), y = b.begin(); x != a.end(); ++x, ++y) {
    require(x->name == y->name && x->value == y->value);
  }
}

void check_request(std::string_view head) {
  RequestHead first;
  if (parse_request(head, first) != HeadError::none) return;
  path_has_one_form(first.path);
  is_unambiguous(head, first.minor_version);
  const std::string lines = folded(head);
  const std::size_t hosts = lines_with(lines, "host:");
  require(hosts == 1 || (hosts == 0 && first.minor_version == 0));
  require(lines_with(lines, "content-length:") + lines_with(lines, "transfer-encoding:") <= 1);
  require(!first.path.empty() && first.path.front() == '/');
  (void)is_websocket_handshake(first);
  (void)check_handshake(first);

  std::string text;
  HeadWriter writer(text);
  writer.request_line(first.method, first.target);
  for (const Field& field : first.fields) writer.field(field.name, field.value);
  if (hosts == 0) writer.field("Host", first.host.empty() ? "a" : first.host);
  writer.end();
  RequestHead second;
  require(parse_request(text, second) == HeadError::none);
  if (hosts == 0) return;
  require(first.method == second.method && first.target == second.target);
  require(first.host == second.host && first.path == second.path && first.query == second.query);
  require(request_framing(first).kind == request_framing(second).kind);
  require(request_framing(first).length == request_framing(second).length);
  same_fields(first.fields, second.fields);
}

void check_response(std::string_view head) {
  ResponseHead first;
  if (parse_response(head, first) != HeadError::none) return;
  require(first.status >= 100 && first.status <= 999);
  if (first.fields.find("Content-Length") && first.fields.find("Transfer-Encoding"))
    require(!response_framing(first, "GET").ok);
  static const std::string kOffer =
      "GET / HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
      "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: permessage-deflate, x\r\n\r\n";
  RequestHead request;
  require(parse_request(kOffer, request) == HeadError::none);
  const Agreed agreed = check_answer(request, first);
  require(!agreed.ok || agreed.subprotocol.empty() || agreed.subprotocol == "chat");

  // Written anew, with one length and no disguise, it can be read in one way.
  std::string text;
  HeadWriter writer(text);
  writer.status_line(first.status, first.reason);
  bool length = false;
  for (const Field& field : first.fields) {
    if (is_framing_disguise(field.name)) continue;
    if (iequals(field.name, "Content-Length") && std::exchange(length, true)) continue;
    writer.field(field.name, field.value);
  }
  writer.end();
  is_unambiguous(text, 1);
  ResponseHead second;
  require(parse_response(text, second) == HeadError::none);
  require(first.status == second.status);
  const ResponseFraming once = response_framing(first, "GET");
  const ResponseFraming again = response_framing(second, "GET");
  require(once.ok == again.ok && once.framing.kind == again.framing.kind);
  require(once.framing.length == again.framing.length);
}

void scan_answer(std::string_view input, std::size_t piece) {
  HeadScanner whole(kLimits, HeadScanner::Of::answer);
  const HeadScanner::State want = whole.feed(input);
  HeadScanner pieces(kLimits, HeadScanner::Of::answer);
  HeadScanner::State state = HeadScanner::State::more;
  for (std::size_t at = 0; at < input.size() && state == HeadScanner::State::more; at += piece)
    state = pieces.feed(input.substr(at, piece));
  require(state == want && pieces.error() == whole.error());
  if (want != HeadScanner::State::complete) return;
  require(pieces.size() == whole.size());
  check_response(input.substr(0, whole.size()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  HeadScanner scanner(kLimits);
  scan_agrees(input, data[0] % 64 + 1U, scanner);
  scan_answer(input, data[0] % 64 + 1U);
  // The parsers stand on their own: whatever the scanner says, nothing bad gets through them.
  check_request(input);
  check_response(input);
  const bool complete = scanner.feed("") == HeadScanner::State::complete;
  if (complete && scanner.size() < input.size()) {
    check_request(input.substr(0, scanner.size()));
    check_response(input.substr(0, scanner.size()));
  }
  return 0;
}
