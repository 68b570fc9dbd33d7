#include "conf/key_finder.h"

#include <algorithm>
#include <vector>

namespace fairlead::conf {
namespace {

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

struct Part {
  std::string_view text;  // without quotes; escapes as they are
  std::size_t offset;
};

// The parts of a dotted key that begins at `at`.
std::vector<Part> dotted_parts(std::string_view text, std::size_t at) {
  std::vector<Part> parts;
  const auto skip_blanks = [&] {
    while (at < text.size() && is_blank(text[at])) ++at;
  };
  while (true) {
    skip_blanks();
    const std::size_t start = at;
    if (at < text.size() && (text[at] == '"' || text[at] == '\'')) {
      const char quote = text[at++];
      while (at < text.size() && text[at] != quote && text[at] != '\n') {
        at += quote == '"' && text[at] == '\\' ? 2U : 1U;
      }
      at = std::min(at, text.size());
      parts.push_back({text.substr(start + 1, at - start - 1), start});
      ++at;
    } else {
      while (at < text.size() && is_bare(text[at])) ++at;
      if (at == start) return parts;
      parts.push_back({text.substr(start, at - start), start});
    }
    skip_blanks();
    if (at >= text.size() || text[at] != '.') return parts;
    ++at;
  }
}

// Whether the brackets at `offset` are a header's: the first thing of a line.
bool is_header(std::string_view text, std::size_t offset) {
  if (offset >= text.size() || text[offset] != '[') return false;
  while (offset > 0 && is_blank(text[offset - 1])) --offset;
  return offset == 0 || text[offset - 1] == '\n';
}

std::size_t in_header(std::string_view text, const KeyQuestion& question) {
  const std::size_t start = std::min(text.find_first_not_of('[', question.offset), text.size());
  const std::vector<Part> parts = dotted_parts(text, start);
  const bool there = question.depth < parts.size();
  return there ? parts[question.depth].offset : question.offset;
}

std::size_t in_dotted_key(std::string_view text, const KeyQuestion& question) {
  for (const Part& part : dotted_parts(text, question.offset)) {
    if (part.text == question.key) return part.offset;
  }
  return question.offset;
}

// Backwards from a value: blanks, '=', blanks, the key's last part.
std::size_t before_value(std::string_view text, const KeyQuestion& question) {
  std::size_t at = question.offset;
  const auto skip_blanks = [&] {
    while (at > 0 && is_blank(text[at - 1])) --at;
  };
  skip_blanks();
  if (at == 0 || text[at - 1] != '=') return question.offset;
  --at;
  skip_blanks();
  if (at == 0) return question.offset;
  const char last = text[at - 1];
  if (last == '"' || last == '\'') {
    // Keys with a quote within are not worth a parser that runs backwards.
    const std::size_t open = at < 2 ? std::string_view::npos : text.rfind(last, at - 2);
    return open == std::string_view::npos ? question.offset : open;
  }
  while (at > 0 && is_bare(text[at - 1])) --at;
  return at;
}

}  // namespace

std::size_t find_key(const std::string& text, const KeyQuestion& question) {
  if (question.offset >= text.size()) return question.offset;
  if (question.table && is_header(text, question.offset)) return in_header(text, question);
  const bool inline_table = text[question.offset] == '{' || text[question.offset] == '[';
  if (question.table && !inline_table) return in_dotted_key(text, question);
  return before_value(text, question);
}

}  // namespace fairlead::conf
