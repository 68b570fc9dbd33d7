#include "conf/values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <limits>

namespace fairlead::conf {
namespace {

constexpr std::size_t kQuotedBytes = 80;

const std::string* read_string(const Node& node, const Scope& scope, std::string_view wanted) {
  if (node.kind == Node::Kind::string) return &node.text;
  scope.wrong_kind(node, wanted);
  return nullptr;
}

std::string range_text(const std::string& least, const std::string& most) {
  return least + " to " + most;
}

std::optional<std::uint32_t> read_integer(const Node& node, const Scope& scope, std::uint32_t least,
                                          std::uint32_t most) {
  if (node.integer >= least && node.integer <= most)
    return static_cast<std::uint32_t>(node.integer);
  scope.problem(node, "must be " + range_text(std::to_string(least), std::to_string(most)));
  return std::nullopt;
}

std::optional<Millis> read_duration(const Node& node, const Scope& scope, Millis least,
                                    Millis most) {
  const auto value = parse_duration(node.text);
  if (!value) {
    scope.problem(node, in_quotes(node.text) +
                            " is not a duration such as \"250ms\", \"30s\", \"5m\" or \"1h\"");
    return std::nullopt;
  }
  if (*value >= least && *value <= most) return value;
  scope.problem(node, "must be " + range_text(duration_text(least), duration_text(most)));
  return std::nullopt;
}

}  // namespace

std::string in_quotes(std::string_view text) {
  const bool cut = text.size() > kQuotedBytes;
  return "\"" + std::string(text.substr(0, kQuotedBytes)) + (cut ? "..." : "") + "\"";
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string result;
  for (const std::string& word : words) {
    if (!result.empty()) result += between;
    result += word;
  }
  return result;
}

std::string one_of(const std::vector<std::string>& words) {
  std::string result;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) result += i + 1 < words.size() ? ", " : " or ";
    result += "\"" + words[i] + "\"";
  }
  return result;
}

Codec<bool> flag() {
  return {"boolean",
          [](const Node& node, const Scope& scope) -> std::optional<bool> {
            if (node.kind == Node::Kind::boolean) return node.boolean;
            scope.wrong_kind(node, "true or false");
            return std::nullopt;
          },
          [](const bool& value) { return std::string(value ? "true" : "false"); },
          shape::boolean()};
}

Codec<std::uint32_t> integer(std::uint32_t least, std::uint32_t most) {
  return {"integer, " + range_text(std::to_string(least), std::to_string(most)),
          [=](const Node& node, const Scope& scope) -> std::optional<std::uint32_t> {
            if (node.kind == Node::Kind::integer) return read_integer(node, scope, least, most);
            scope.wrong_kind(node, "an integer");
            return std::nullopt;
          },
          [](const std::uint32_t& value) { return std::to_string(value); },
          shape::integer(least, most)};
}

Codec<std::optional<std::uint32_t>> count_or_off(std::uint32_t most) {
  using Value = std::optional<std::uint32_t>;
  return {"integer, 1 to " + std::to_string(most) + ", or \"off\"",
          [=](const Node& node, const Scope& scope) -> std::optional<Value> {
            if (node.kind == Node::Kind::string && node.text == "off") return Value{};
            if (node.kind != Node::Kind::integer) {
              scope.wrong_kind(node, "an integer or \"off\"");
              return std::nullopt;
            }
            const Value value = read_integer(node, scope, 1, most);
            return value ? std::optional<Value>(value) : std::nullopt;
          },
          [](const Value& value) { return value ? std::to_string(*value) : "\"off\""; },
          shape::either({shape::integer(1, most), shape::words({"off"})})};
}

Codec<double> share() {
  return {"number, 0 to 1",
          [](const Node& node, const Scope& scope) -> std::optional<double> {
            const bool whole = node.kind == Node::Kind::integer;
            if (!whole && node.kind != Node::Kind::number) {
              scope.wrong_kind(node, "a number such as 0.01");
              return std::nullopt;
            }
            const double value = whole ? static_cast<double>(node.integer) : node.number;
            if (value >= 0 && value <= 1) return value;  // not so for TOML's nan
            scope.problem(node, "must be 0 to 1");
            return std::nullopt;
          },
          [](const double& value) {
            std::array<char, 32> text{};
            const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
            return std::string(text.data(), end);
          },
          shape::share()};
}

Codec<std::uint32_t> percentage(std::uint32_t least, std::uint32_t most) {
  const std::string range = std::to_string(least) + "% to " + std::to_string(most) + "%";
  return {"percentage, " + range,
          [=](const Node& node, const Scope& scope) -> std::optional<std::uint32_t> {
            const auto* text = read_string(node, scope, "a string such as \"20%\"");
            if (text == nullptr) return std::nullopt;
            std::uint32_t value = 0;
            const char* end = text->data() + text->size();
            const auto [rest, error] = std::from_chars(text->data(), end, value);
            if (error != std::errc() || rest + 1 != end || *rest != '%') {
              scope.problem(node, in_quotes(*text) + " is not a percentage such as \"20%\"");
              return std::nullopt;
            }
            if (value >= least && value <= most) return value;
            scope.problem(node, "must be " + range);
            return std::nullopt;
          },
          [](const std::uint32_t& value) { return "\"" + std::to_string(value) + "%\""; },
          shape::matching("[0-9]+%")};
}

Codec<Millis> duration(Millis least, Millis most) {
  return {"duration, " + range_text(duration_text(least), duration_text(most)),
          [=](const Node& node, const Scope& scope) -> std::optional<Millis> {
            if (read_string(node, scope, "a string such as \"30s\"") == nullptr)
              return std::nullopt;
            return read_duration(node, scope, least, most);
          },
          [](const Millis& value) { return "\"" + duration_text(value) + "\""; },
          shape::matching(shape::kDuration)};
}

Codec<std::optional<Millis>> duration_or(std::string word, Millis least, Millis most) {
  using Value = std::optional<Millis>;
  const std::string mark = "\"" + word + "\"";
  return {"duration, " + range_text(duration_text(least), duration_text(most)) + ", or " + mark,
          [=](const Node& node, const Scope& scope) -> std::optional<Value> {
            const auto* given = read_string(node, scope, "a string such as \"30s\" or " + mark);
            if (given == nullptr) return std::nullopt;
            if (*given == word) return Value{};
            const Value value = read_duration(node, scope, least, most);
            return value ? std::optional<Value>(value) : std::nullopt;
          },
          [mark](const Value& value) { return value ? "\"" + duration_text(*value) + "\"" : mark; },
          shape::matching(std::string(shape::kDuration) + "|" + word)};
}

Codec<std::optional<std::uint64_t>> size_or_off() {
  using Value = std::optional<std::uint64_t>;
  return {"size, or \"off\"",
          [](const Node& node, const Scope& scope) -> std::optional<Value> {
            const bool plain = node.kind == Node::Kind::integer;
            if (!plain &&
                read_string(node, scope, "a string such as \"64KiB\" or \"off\"") == nullptr) {
              return std::nullopt;
            }
            if (!plain && node.text == "off") return Value{};
            const Value value = parse_size(plain ? std::to_string(node.integer) : node.text);
            if (value && *value > 0) return value;
            scope.problem(node,
                          (plain ? std::to_string(node.integer) : in_quotes(node.text)) +
                              " is not a size such as \"512B\", \"64KiB\", \"1MiB\" or \"off\"");
            return std::nullopt;
          },
          [](const Value& value) {
            return value ? "\"" + size_text(*value) + "\"" : std::string("\"off\"");
          },
          shape::either({shape::integer(1, std::numeric_limits<std::int64_t>::max()),
                         shape::matching(std::string(shape::kSize) + "|off")})};
}

Codec<std::string> text(std::string type, TextRule rule) {
  return {
      std::move(type),
      [rule = std::move(rule)](const Node& node, const Scope& scope) -> std::optional<std::string> {
        const auto* given = read_string(node, scope, "a string");
        if (given == nullptr) return std::nullopt;
        const std::string complaint = rule(*given);
        if (complaint.empty()) return *given;
        scope.problem(node, complaint);
        return std::nullopt;
      },
      [](const std::string& value) { return "\"" + value + "\""; }};
}

Codec<std::string> plain_name() {
  return text("name", [](std::string_view name) {
    if (is_plain_name(name)) return std::string();
    return in_quotes(name) + " is not a name: letters, digits and \"-_.:\", at most 64";
  });
}

std::optional<std::size_t> read_choice(const Node& node, const Scope& scope,
                                       const std::vector<std::string>& names,
                                       const std::vector<std::string>& later) {
  const auto* given = read_string(node, scope, "a string");
  if (given == nullptr) return std::nullopt;
  const auto found = std::find(names.begin(), names.end(), *given);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  if (std::find(later.begin(), later.end(), *given) != later.end()) {
    scope.problem(node, in_quotes(*given) + " is not available in this version");
    return std::nullopt;
  }
  scope.problem(node, "must be " + one_of(names) + ", not " + in_quotes(*given));
  return std::nullopt;
}

}  // namespace fairlead::conf
