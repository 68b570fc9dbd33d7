#pragma once
// A configuration file's text and where things stand in it; and the first look at it, before any
// parser: what is too big or too deep for one, or no text at all.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::conf {

struct Position {
  unsigned line = 0;    // 1-based
  unsigned column = 0;  // 1-based, in bytes
};

class Source {
 public:
  // `order`: 0 for the first file read, 1 for the next: problems are shown in that order.
  Source(std::string name, std::string text, std::size_t order);

  const std::string& name() const { return name_; }

  const std::string& text() const { return text_; }

  std::size_t order() const { return order_; }

  Position position(std::size_t offset) const;
  std::string line(unsigned number) const;  // without its end; "" if there is no such line
  // The other way: the offset of a line and column, as a parser gives them.
  std::size_t offset(Position position) const;

  // The path as seen from this file's folder; absolute paths stay.
  std::string resolve(const std::string& path) const;

 private:
  std::string name_;
  std::string text_;
  std::size_t order_;
  std::vector<std::size_t> starts_;  // of the lines
};

// The bounds that keep a recursive, line-copying parser safe.
constexpr std::size_t kFileBytes = 4 * 1024 * 1024;
constexpr std::size_t kLineBytes = 8 * 1024;
constexpr std::size_t kNesting = 32;   // brackets and braces within each other
constexpr std::size_t kKeyParts = 16;  // a.b.c has three

struct TextProblem {
  std::size_t offset = 0;
  std::string message;
};

// Nothing if the text is UTF-8 without control characters and within the bounds.
std::optional<TextProblem> inspect(std::string_view text);

}  // namespace fairlead::conf
