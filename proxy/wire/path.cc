#include "proxy/wire/path.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "proxy/wire/chars.h"

namespace fairlead::wire {
namespace {

constexpr std::size_t kEscape = 3;  // "%2e"

enum class Segment : std::uint8_t { empty, here, up, name };

bool is_separator(char c) {
  return c == '/' || c == '\\';
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char l = lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

// The byte an escape at the front of `text` stands for, or -1.
int escaped_byte(std::string_view text) {
  if (text.size() < kEscape || text[0] != '%') return -1;
  const int high = hex_value(text[1]);
  const int low = hex_value(text[2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

// RFC 3986 2.3
bool is_unreserved(char c) {
  return is_class(c, chars::kDigit | chars::kAlpha) || c == '-' || c == '.' || c == '_' || c == '~';
}

// Dots may be escaped: "%2e." is "..".
Segment kind_of(std::string_view segment) {
  if (segment.empty()) return Segment::empty;
  unsigned dots = 0;
  while (!segment.empty()) {
    const bool escaped = escaped_byte(segment) == '.';
    if ((segment[0] != '.' && !escaped) || ++dots > 2) return Segment::name;
    segment.remove_prefix(escaped ? kEscape : 1);
  }
  return dots == 1 ? Segment::here : Segment::up;
}

// Takes the next segment off `rest`, which begins with the separator in front of it.
std::string_view next_segment(std::string_view& rest) {
  rest.remove_prefix(1);
  const auto end =
      static_cast<std::size_t>(std::find_if(rest.begin(), rest.end(), is_separator) - rest.begin());
  const std::string_view segment = rest.substr(0, end);
  rest.remove_prefix(end);
  return segment;
}

// Most are. A segment that begins with a dot may be normal too; it is looked at closely.
bool is_surely_normal(std::string_view path) {
  char last = 0;
  for (const char c : path) {
    if (c == '%' || c == '\\' || (last == '/' && (c == '/' || c == '.'))) return false;
    last = c;
  }
  return true;
}

std::size_t depth_after(std::size_t depth, Segment kind) {
  if (kind == Segment::name) return depth + 1;
  return kind == Segment::up && depth > 0 ? depth - 1 : depth;
}

std::size_t depth_of(std::string_view path) {
  std::size_t depth = 0;
  while (!path.empty()) depth = depth_after(depth, kind_of(next_segment(path)));
  return depth;
}

}  // namespace

NormalPath::NormalPath(std::string_view path) : given_(path) {
  if (is_surely_normal(path)) return;
  const bool has_backslash = path.find('\\') != std::string_view::npos;
  std::size_t names = 0;  // in own_
  bool ends_with_name = false;
  while (ok_ && !path.empty()) {
    const std::string_view segment = next_segment(path);
    const Segment kind = kind_of(segment);
    ends_with_name = kind == Segment::name;
    if (ends_with_name) ok_ = append(segment);
    if (ends_with_name) ++names;
    if (kind == Segment::empty) own_ += '/';
    if (kind == Segment::up) ok_ = !has_backslash && go_up(names);
  }
  if (!ends_with_name) own_ += '/';
  const auto both_slashes = [](char a, char b) { return a == '/' && b == '/'; };
  own_.erase(std::unique(own_.begin(), own_.end(), both_slashes), own_.end());
}

// Takes the last segment away; `names` is how many are no empty ones. False: servers do not agree
// on what is above. Behind an empty segment it is that segment (RFC 3986 5.2.4) or, where slashes
// are merged first, the name before. (With a backslash it depends on whether that is a slash.)
bool NormalPath::go_up(std::size_t& names) {
  if (names != 0) {
    if (own_.ends_with('/')) return false;
    --names;
  }
  own_.resize(std::min(own_.rfind('/'), own_.size()));
  return true;
}

// A slash and the segment. False: it has a bad escape.
bool NormalPath::append(std::string_view segment) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  own_ += '/';
  while (!segment.empty()) {
    if (segment[0] != '%') {
      own_ += segment[0];
      segment.remove_prefix(1);
      continue;
    }
    const int byte = escaped_byte(segment);
    if (byte <= 0) return false;
    if (is_unreserved(static_cast<char>(byte))) {
      own_ += static_cast<char>(byte);
    } else {
      own_ += '%';
      own_ += kDigits[static_cast<std::size_t>(byte) / 16];
      own_ += kDigits[static_cast<std::size_t>(byte) % 16];
    }
    segment.remove_prefix(kEscape);
  }
  return true;
}

bool has_path_prefix(std::string_view path, std::string_view prefix) {
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  if (!path.starts_with(prefix)) return false;
  return prefix.empty() || path.size() == prefix.size() || path[prefix.size()] == '/';
}

// The prefix is as deep as its names are many. Behind the last place where the path is as deep, all
// that follows is below the prefix; what stands before it comes to the prefix.
std::optional<std::string_view> behind_prefix(std::string_view path, std::string_view prefix) {
  const NormalPath normal(path);
  const NormalPath wanted(prefix);
  if (!normal.ok() || !wanted.ok() || !has_path_prefix(normal.text(), wanted.text())) {
    return std::nullopt;
  }
  const std::size_t least = depth_of(prefix);
  std::size_t depth = 0;
  std::string_view behind;
  for (std::string_view rest = path; !rest.empty();) {
    const std::string_view from = rest.substr(1);
    const std::size_t before = depth;
    depth = depth_after(depth, kind_of(next_segment(rest)));
    if (depth == least) behind = {};
    if (before == least && depth > least) behind = from;
  }
  return behind;
}

}  // namespace fairlead::wire
