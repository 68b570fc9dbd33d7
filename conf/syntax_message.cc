#include "conf/syntax_message.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include "conf/key_finder.h"

namespace fairlead::conf {
namespace {

// The picture:
//   [error] toml::parse_table: invalid line format
//    --> fairlead.toml
//      |
//    3 | address = "0.0.0.0:443" tls
//      |                         ^--- expected newline, but got 't'.
struct Picture {
  std::string message;

  struct Mark {
    Position at;
    std::string comment;
  };

  std::vector<Mark> marks;
};

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '`')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '.')) text.remove_suffix(1);
  return text;
}

// "[error] toml::parse_key_value_pair: empty key is not allowed." -> "empty key is not allowed"
std::string message_of(std::string_view line) {
  constexpr std::string_view kError = "[error] ";
  if (line.substr(0, kError.size()) == kError) line.remove_prefix(kError.size());
  if (line.substr(0, 6) == "toml::") {
    const std::size_t colon = line.find(':', 6);
    line.remove_prefix(colon == std::string_view::npos ? 0 : colon + 1);
  }
  return std::string(trim(line));
}

// A line of source and the line under it with the mark; nothing if they are no such pair.
std::optional<Picture::Mark> mark_of(const Source& source, std::string_view shown,
                                     std::string_view under) {
  const std::size_t bar = shown.find(" | ");
  if (bar == std::string_view::npos || under.substr(bar, 3) != " | ") return std::nullopt;
  const std::string_view number = trim(shown.substr(0, bar));
  unsigned line = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), line);
  if (error != std::errc{} || end != number.data() + number.size()) return std::nullopt;
  // Some errors count from the start of a token: then the line is another one.
  if (trim(shown.substr(bar + 3)) != trim(source.line(line))) return std::nullopt;
  const std::string_view mark = under.substr(bar + 3);
  const std::size_t column = mark.find_first_of("^~");
  if (column == std::string_view::npos) return std::nullopt;
  const std::size_t comment = mark.find_first_not_of("^~-", column);
  const std::string_view text = comment == std::string_view::npos ? "" : mark.substr(comment);
  return Picture::Mark{{line, static_cast<unsigned>(column + 1)}, std::string(trim(text))};
}

Picture read_picture(const Source& source, std::string_view text) {
  const auto lines = lines_of(text);
  Picture picture;
  if (lines.empty()) return picture;
  picture.message = message_of(lines.front());
  for (std::size_t i = 1; i + 1 < lines.size(); ++i) {
    if (auto mark = mark_of(source, lines[i], lines[i + 1])) picture.marks.push_back(*mark);
  }
  return picture;
}

// `value ("tls.min_version") already exists` -> tls.min_version
std::string quoted_name(std::string_view message) {
  const std::size_t open = message.find("(\"");
  const std::size_t close = message.find("\")");
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return "";
  return std::string(message.substr(open + 2, close - open - 2));
}

// What toml11 says where a person would like to hear it another way.
struct Saying {
  std::string_view theirs;
  std::string_view ours;
};

constexpr std::array<Saying, 6> kSayings{{
    {"an invalid key appeared", "neither a key nor a [table] header"},
    {"unknown value appeared", "not a value (a string needs quotes)"},
    {"not a valid string", "a string that does not end, or with an unknown escape"},
    {"not a valid literal string", "a string that does not end"},
    {"not a valid multiline string", "a string that does not end, or with an unknown escape"},
    {"array did not closed", "a list that does not end"},
}};

std::string one_line(const Picture& picture) {
  for (const Saying& saying : kSayings) {
    if (picture.message.find(saying.theirs) != std::string::npos) return std::string(saying.ours);
  }
  const std::string comment = picture.marks.empty() ? "" : picture.marks.back().comment;
  std::string line = picture.message;
  if (!comment.empty() && comment != "here") line += ": " + comment;
  return line;
}

}  // namespace

TextProblem syntax_problem(const Source& source, std::string_view text, Position at) {
  const Picture picture = read_picture(source, text);
  if (picture.message.find("already exists") != std::string::npos) {
    const std::string name = quoted_name(picture.message);
    std::string message = "\"" + name + "\" is set twice";
    if (!picture.marks.empty()) {
      message += " (before: line " + std::to_string(picture.marks.front().at.line) + ")";
    }
    return {find_key(source.text(), {name, 0, source.offset(at), false}), message};
  }
  const Position where = picture.marks.empty() ? at : picture.marks.back().at;
  return {source.offset(where), "TOML: " + one_line(picture)};
}

}  // namespace fairlead::conf
