#pragma once
// TOML as a tree of plain values, each with its place in the text. table.cc is the only file that
// knows toml11: its find_or returns the default on a wrong type without a word, so nothing outside
// may be tempted to call it.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/source.h"

namespace fairlead::conf {

struct Node {
  enum class Kind {
    invalid,  // already reported: whoever reads it stays silent
    boolean,
    integer,
    number,
    string,
    array,
    table,
    time,  // one of TOML's dates and times
  };

  Kind kind = Kind::invalid;
  bool boolean = false;
  std::int64_t integer = 0;
  double number = 0;
  std::string text;            // of a string
  std::vector<Node> children;  // an array's items or a table's entries, in the text's order
  std::string key;             // in its table
  std::size_t offset = 0;      // of the value
  std::size_t key_offset = 0;  // of the key's last part; an array's item: as offset

  const Node* find(std::string_view name) const;  // an entry of a table
};

// "a string", "an integer"...
std::string kind_name(Node::Kind kind);

struct ParseResult {
  std::optional<Node> root;  // a table
  std::optional<TextProblem> problem;
};

// Checks inspect()'s bounds first. Does not throw.
ParseResult parse_toml(const Source& source);

}  // namespace fairlead::conf
