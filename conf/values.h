#pragma once
// How a single value is read, described and shown: the pieces the schemas are made of. A reader
// reports what is wrong itself and then gives nothing.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conf/config.h"
#include "conf/names.h"
#include "conf/report.h"
#include "conf/shape.h"
#include "conf/units.h"

namespace fairlead::conf {

template <typename V>
struct Codec {
  std::string type;  // for the reference
  std::function<std::optional<V>(const Node&, const Scope&)> read;
  std::function<std::string(const V&)> show;  // as it would stand in a file
  std::string shape = {};                     // for JSON Schema, see shape.h; empty: any string
};

// A value in a message: in quotes, not endless.
std::string in_quotes(std::string_view text);

Codec<bool> flag();
Codec<std::uint32_t> integer(std::uint32_t least, std::uint32_t most);
Codec<std::optional<std::uint32_t>> count_or_off(std::uint32_t most);
Codec<Millis> duration(Millis least, Millis most);
Codec<std::optional<Millis>> duration_or(std::string word, Millis least, Millis most);
Codec<std::optional<std::uint64_t>> size_or_off();
Codec<std::optional<Rate>> rate_or_off(RateOf of);  // "50/s" or { rate, burst }
Codec<Rate> plain_rate();                           // "50/s" of events, without a burst
Codec<std::optional<Rate>> plain_rate_or_off();
Codec<std::optional<Rate>> plain_byte_rate_or_off();                       // "500B/s"
Codec<double> share();                                                     // 0 to 1
Codec<std::uint32_t> percentage(std::uint32_t least, std::uint32_t most);  // "20%"

// What is wrong with a text; "" if nothing.
using TextRule = std::function<std::string(std::string_view)>;
Codec<std::string> text(std::string type, TextRule rule);
Codec<std::string> plain_name();     // is_plain_name
Codec<std::string> host();           // lower case, "*." in front allowed
Codec<std::string> readable_file();  // its resolved path
Codec<std::string> private_file();   // the same, with a hint where everybody may read it
// A secret file's bytes, all of them. Not shown anywhere.
std::optional<std::string> read_secret_file(const Node& node, const Scope& scope, std::size_t most);
// A file's bytes without the newline an editor leaves, 16 or more. Not shown anywhere.
std::optional<std::string> read_secret(const Node& node, const Scope& scope);
// A path to write to, resolved; or one of `words`. `refused`: words that look like one of them but
// are none.
Codec<std::string> log_target(std::vector<std::string> words, std::vector<std::string> refused);

Codec<Address> listener_address();
Codec<Address> server_address();
Codec<Cidr> network();
Codec<OriginPattern> origin();
Codec<HashKey> hash_key();  // "header:X-Room"

// Names for the values of an enum. `later`: names the contract knows and this version does not.
template <typename E>
Codec<E> choice(std::vector<std::pair<std::string, E>> names, std::vector<std::string> later = {});

enum class Empty { allowed, refused };

// Entries of any list: what is compared each with each must stay few.
constexpr std::size_t kListEntries = 10'000;

template <typename V>
Codec<std::vector<V>> list(Codec<V> item, Empty empty);

// A name out of `names`; the complaint for all others. Nothing: reported.
std::optional<std::size_t> read_choice(const Node& node, const Scope& scope,
                                       const std::vector<std::string>& names,
                                       const std::vector<std::string>& later);
std::string joined(const std::vector<std::string>& words, std::string_view between);
std::string one_of(const std::vector<std::string>& words);  // "a", "b" or "c"

template <typename E>
Codec<E> choice(std::vector<std::pair<std::string, E>> names, std::vector<std::string> later) {
  std::vector<std::string> words;
  for (const auto& [word, value] : names) words.push_back(word);
  Codec<E> codec;
  codec.type = joined(words, " | ");
  codec.shape = shape::words(words);
  codec.show = [names](const E& value) {
    for (const auto& [word, known] : names) {
      if (known == value) return "\"" + word + "\"";
    }
    return std::string();
  };
  codec.read = [names, words, later](const Node& node, const Scope& scope) -> std::optional<E> {
    const auto index = read_choice(node, scope, words, later);
    if (!index) return std::nullopt;
    return names[*index].second;
  };
  return codec;
}

template <typename V>
Codec<std::vector<V>> list(Codec<V> item, Empty empty) {
  Codec<std::vector<V>> codec;
  codec.type = "list: " + item.type;
  codec.shape =
      shape::list(item.shape.empty() ? shape::text() : item.shape, empty == Empty::allowed);
  codec.show = [item](const std::vector<V>& values) {
    std::vector<std::string> words;
    for (const V& value : values) words.push_back(item.show(value));
    return "[" + joined(words, ", ") + "]";
  };
  codec.read = [item, empty](const Node& node,
                             const Scope& scope) -> std::optional<std::vector<V>> {
    if (node.kind != Node::Kind::array) {
      scope.wrong_kind(node, "a list, in brackets");
      return std::nullopt;
    }
    if (node.children.empty() && empty == Empty::refused) scope.problem(node, "must not be empty");
    if (node.children.size() > kListEntries) {
      scope.problem(node, "must not have more than 10000 entries");
      return std::nullopt;
    }
    std::vector<V> values;
    for (const Node& child : node.children) {
      if (auto value = item.read(child, scope)) values.push_back(std::move(*value));
    }
    return values;
  };
  return codec;
}

}  // namespace fairlead::conf
