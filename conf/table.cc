#include "conf/table.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wswitch-enum"
#include <toml.hpp>
#pragma GCC diagnostic pop

#include <algorithm>
#include <exception>
#include <map>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "conf/key_finder.h"
#include "conf/syntax_message.h"

namespace fairlead::conf {
namespace {

// toml11 3.7 takes back() of an empty array for `a = []` followed by `[a.b]`: an exception instead
// of a crash.
template <typename... Args>
class CheckedVector : public std::vector<Args...> {
 public:
  using Base = std::vector<Args...>;
  using Base::Base;

  typename Base::reference back() {
    if (this->empty()) throw std::out_of_range("a table extends an empty array");
    return Base::back();
  }
};

using Toml = toml::basic_value<toml::discard_comments, std::map, CheckedVector>;

// Where a value begins. Not by location(), which counts the file's lines anew each time.
std::size_t offset_of(const Toml& value) {
  const auto* region = dynamic_cast<const toml::detail::region*>(toml::detail::get_region(value));
  if (region == nullptr) return 0;
  return static_cast<std::size_t>(region->first() - region->begin());
}

class Converter {
 public:
  explicit Converter(const std::string& text) : text_(text) {}

  // `depth`: how many keys lead to the value.
  Node convert(const Toml& value, std::size_t depth) const {
    Node node;
    node.offset = offset_of(value);
    node.key_offset = node.offset;
    switch (value.type()) {
      case toml::value_t::boolean:
        node.kind = Node::Kind::boolean;
        node.boolean = value.as_boolean();
        break;
      case toml::value_t::integer:
        node.kind = Node::Kind::integer;
        node.integer = value.as_integer();
        break;
      case toml::value_t::floating:
        node.kind = Node::Kind::number;
        node.number = value.as_floating();
        break;
      case toml::value_t::string:
        node.kind = Node::Kind::string;
        node.text = value.as_string().str;
        break;
      case toml::value_t::array:
        node.kind = Node::Kind::array;
        for (const Toml& item : value.as_array()) node.children.push_back(convert(item, depth));
        break;
      case toml::value_t::table:
        node.kind = Node::Kind::table;
        convert_entries(value, depth, node);
        break;
      case toml::value_t::offset_datetime:
      case toml::value_t::local_datetime:
      case toml::value_t::local_date:
      case toml::value_t::local_time:
      case toml::value_t::empty:
      default:
        node.kind = Node::Kind::time;
        break;
    }
    return node;
  }

 private:
  void convert_entries(const Toml& table, std::size_t depth, Node& node) const {
    for (const auto& [key, value] : table.as_table()) {
      Node child = convert(value, depth + 1);
      child.key = key;
      const bool is_table = child.kind == Node::Kind::table;
      const bool of_tables = child.kind == Node::Kind::array && !child.children.empty() &&
                             child.children.front().kind == Node::Kind::table &&
                             child.children.front().offset == child.offset;
      child.key_offset = find_key(text_, {key, depth, child.offset, is_table || of_tables});
      node.children.push_back(std::move(child));
    }
    std::stable_sort(node.children.begin(), node.children.end(),
                     [](const Node& a, const Node& b) { return a.key_offset < b.key_offset; });
  }

  const std::string& text_;
};

}  // namespace

const Node* Node::find(std::string_view name) const {
  if (kind != Kind::table) return nullptr;
  for (const Node& child : children) {
    if (child.key == name) return &child;
  }
  return nullptr;
}

std::string kind_name(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::boolean:
      return "true or false";
    case Node::Kind::integer:
      return "an integer";
    case Node::Kind::number:
      return "a number with a point";
    case Node::Kind::string:
      return "a string";
    case Node::Kind::array:
      return "a list";
    case Node::Kind::table:
      return "a table";
    case Node::Kind::time:
      return "a date or time";
    case Node::Kind::invalid:
      break;
  }
  return "nothing";
}

ParseResult parse_toml(const Source& source) {
  if (auto problem = inspect(source.text())) return {std::nullopt, std::move(problem)};
  try {
    std::istringstream stream(source.text());
    const auto value =
        toml::parse<toml::discard_comments, std::map, CheckedVector>(stream, source.name());
    return {Converter(source.text()).convert(value, 0), std::nullopt};
  } catch (const toml::exception& error) {
    const Position at{static_cast<unsigned>(error.location().line()),
                      static_cast<unsigned>(error.location().column())};
    return {std::nullopt, syntax_problem(source, error.what(), at)};
  } catch (const std::exception& error) {
    return {std::nullopt, syntax_problem(source, error.what(), {})};
  }
}

}  // namespace fairlead::conf
