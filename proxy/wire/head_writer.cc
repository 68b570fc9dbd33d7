#include "proxy/wire/head_writer.h"

#include <array>
#include <cassert>
#include <charconv>

#include "proxy/wire/chars.h"

namespace fairlead::wire {
namespace {

void append_clean(std::string& out, std::string_view text) {
  const std::size_t start = out.size();
  out.append(text);
  if (is_text(text)) return;
  for (std::size_t i = start; i < out.size(); ++i) {
    if (!is_text_char(out[i])) out[i] = ' ';
  }
}

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(),
                     [name](std::string_view other) { return iequals(name, other); });
}

template <std::size_t N>
bool has_prefix_of(const std::array<std::string_view, N>& prefixes, std::string_view name) {
  return std::any_of(prefixes.begin(), prefixes.end(), [name](std::string_view prefix) {
    return iequals(name.substr(0, prefix.size()), prefix);
  });
}

// What Connection may not take from a message (RFC 9110 7.6.1: "intended for all recipients"). A
// client that names one of them wants the backend to see less than we checked, or than a proxy
// before us has set: the origin a browser vouches for, credentials, the client's address, the
// handshake, the framing.
bool is_end_to_end(std::string_view name) {
  static constexpr std::array<std::string_view, 6> kPrefixes = {
      "Sec-", "Content-", "X-Forwarded-", "Access-Control-", "X-Real-", "X-Request-"};
  static constexpr std::array<std::string_view, 16> kNames = {
      "Host",    "Origin",      "Cookie",        "Set-Cookie",       "Authorization", "Forwarded",
      "Via",     "Date",        "Cache-Control", "WWW-Authenticate", "Location",      "Vary",
      "Expires", "Retry-After", "traceparent",   "tracestate"};
  return is_one_of(kNames, name) || has_prefix_of(kPrefixes, name);
}

}  // namespace

HeadWriter& HeadWriter::request_line(std::string_view method, std::string_view target) {
  assert(is_token(method));
  append_clean(out_, method);
  out_ += ' ';
  append_clean(out_, target);
  out_ += " HTTP/1.1\r\n";
  return *this;
}

HeadWriter& HeadWriter::status_line(int status, std::string_view reason) {
  assert(status >= 100 && status <= 999);
  std::array<char, 12> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), status).ptr;
  out_ += "HTTP/1.1 ";
  out_.append(digits.data(), end);
  out_ += ' ';  // even where no reason follows (RFC 9112 4)
  append_clean(out_, reason.empty() ? reason_phrase(status) : reason);
  out_ += "\r\n";
  return *this;
}

HeadWriter& HeadWriter::field(std::string_view name, std::string_view value) {
  assert(is_token(name));
  append_clean(out_, name);
  out_ += ": ";
  append_clean(out_, value);
  out_ += "\r\n";
  return *this;
}

void HeadWriter::end() {
  out_ += "\r\n";
}

bool is_hop_by_hop(const Fields& fields, std::string_view name) {
  // Keep-Alive, Proxy-* and HTTP2-Settings (RFC 7540 3.2.1) are, even where Connection does not
  // name them.
  static constexpr std::array<std::string_view, 7> kNames = {
      "Connection",        "Keep-Alive",    "TE", "Trailer", "Upgrade",
      "Transfer-Encoding", "HTTP2-Settings"};
  static constexpr std::array<std::string_view, 1> kPrefixes = {"Proxy-"};
  if (is_one_of(kNames, name) || has_prefix_of(kPrefixes, name)) return true;
  return fields.has_token("Connection", name) && !is_end_to_end(name);
}

std::string_view canonical_name(std::string_view name) {
  static constexpr std::array<std::string_view, 5> kNames = {
      "Sec-WebSocket-Key", "Sec-WebSocket-Accept", "Sec-WebSocket-Version",
      "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"};
  for (const std::string_view canonical : kNames) {
    if (iequals(name, canonical)) return canonical;
  }
  return name;
}

}  // namespace fairlead::wire
