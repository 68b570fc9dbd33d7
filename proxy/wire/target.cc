#include "proxy/wire/target.h"

#include <array>

#include "conf/ip.h"
#include "proxy/wire/chars.h"

namespace fairlead::wire {
namespace {

constexpr std::size_t kMaxPortDigits = 5;
constexpr unsigned kMaxPort = 65535;

// Of any digits, or empty: that is the scheme's default (RFC 3986 3.2.3).
bool is_port(std::string_view text) {
  if (text.size() > kMaxPortDigits) return false;
  unsigned value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value <= kMaxPort;
}

bool is_host_char(char c) {
  return is_class(c, chars::kDigit | chars::kAlpha) || c == '-' || c == '.' || c == '_' || c == '~';
}

bool is_host_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_host_char);
}

// The inside of the brackets; no zone: it means something to its own machine only (RFC 6874 4).
bool is_ipv6(std::string_view text) {
  return text.find(':') != text.npos && conf::Ip::parse(text).has_value();
}

bool is_target_char(char c) {
  return is_visible_char(c) && c != '#';
}

// What follows the scheme and "://" of an absolute-form, or an empty view (which is no authority).
std::string_view after_scheme(std::string_view target) {
  static constexpr std::array<std::string_view, 4> kSchemes = {"http", "https", "ws", "wss"};
  const std::size_t colon = target.find("://");
  if (colon == target.npos) return {};
  for (const std::string_view scheme : kSchemes) {
    if (iequals(target.substr(0, colon), scheme)) return target.substr(colon + 3);
  }
  return {};
}

// From where the path begins; an empty path is "/" (RFC 9110 4.2.3).
void split_path(std::string_view rest, RequestHead& head) {
  const std::size_t question = std::min(rest.find('?'), rest.size());
  head.path = question == 0 ? std::string_view("/") : rest.substr(0, question);
  head.query = rest.substr(question);
}

}  // namespace

bool is_authority(std::string_view text) {
  std::size_t host_end = std::min(text.find(':'), text.size());
  if (text.substr(0, 1) == "[") {
    const std::size_t bracket = text.find(']');
    if (bracket == text.npos || !is_ipv6(text.substr(1, bracket - 1))) return false;
    host_end = bracket + 1;
  } else if (!is_host_name(text.substr(0, host_end))) {
    return false;
  }
  const std::string_view rest = text.substr(host_end);
  return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
}

bool split_target(RequestHead& head) {
  const std::string_view target = head.target;
  if (target.empty() || !std::all_of(target.begin(), target.end(), is_target_char)) return false;
  if (head.method == "CONNECT") return false;  // authority-form (RFC 9112 3.2.3) is not served
  if (target == "*") {                         // RFC 9112 3.2.4
    split_path("", head);
    return head.method == "OPTIONS";
  }
  if (target.front() == '/') {
    split_path(target, head);
    return true;
  }
  const std::string_view rest = after_scheme(target);
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  head.host = rest.substr(0, end);
  split_path(rest.substr(end), head);
  return is_authority(head.host);
}

}  // namespace fairlead::wire
