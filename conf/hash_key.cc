// The key of balance = "hash": "client-ip", "header:NAME" and so on.

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conf/values.h"

namespace fairlead::conf {
namespace {

using KeyKind = HashKey::Kind;

const std::vector<std::pair<std::string, KeyKind>> kKeyKinds{{"client-ip", KeyKind::client_ip},
                                                             {"header", KeyKind::header},
                                                             {"cookie", KeyKind::cookie},
                                                             {"query", KeyKind::query},
                                                             {"path", KeyKind::path}};

bool has_name(KeyKind kind) {
  return kind != KeyKind::client_ip && kind != KeyKind::path;
}

// A query parameter's name is compared as it stands in a target: no separator, visible ASCII.
bool is_parameter_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return c > ' ' && c <= '~' && c != '&' && c != '=' && c != '#';
  });
}

// Of a kind that has a name.
std::string name_complaint(const HashKey& key) {
  if (key.kind == KeyKind::query) {
    return is_parameter_name(key.name) ? "" : in_quotes(key.name) + " is not a parameter's name";
  }
  if (is_token(key.name)) return "";
  return in_quotes(key.name) + " is not a " +
         (key.kind == KeyKind::header ? "header's" : "cookie's") + " name";
}

std::string unknown_key_complaint(std::string_view text, std::string_view kind) {
  std::vector<std::string> words;
  for (const auto& [word, known] : kKeyKinds) words.push_back(word);
  const std::string meant = nearest(kind, words);
  const std::string suggestion =
      meant.empty() ? ""
                    : " (did you mean \"" + meant + std::string(text.substr(kind.size())) + "\"?)";
  return "must be \"client-ip\", \"header:NAME\", \"cookie:NAME\", \"query:NAME\" or \"path\", "
         "not " +
         in_quotes(text) + suggestion;
}

// "header:X-Room" as a value, or what is wrong with it.
std::string parse_hash_key(std::string_view text, HashKey& out) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  const std::string_view kind = text.substr(0, colon);
  const auto known = std::find_if(kKeyKinds.begin(), kKeyKinds.end(),
                                  [&](const auto& entry) { return entry.first == kind; });
  if (known == kKeyKinds.end()) return unknown_key_complaint(text, kind);
  const bool named = colon < text.size();
  if (named != has_name(known->second)) {
    return in_quotes(text) + (named ? " takes no name: \"" + known->first + "\""
                                    : " needs a name: \"" + known->first + ":NAME\"");
  }
  out = {known->second, std::string(named ? text.substr(colon + 1) : std::string_view())};
  return named ? name_complaint(out) : "";
}

}  // namespace

Codec<HashKey> hash_key() {
  return {"client-ip | header:NAME | cookie:NAME | query:NAME | path",
          [](const Node& node, const Scope& scope) -> std::optional<HashKey> {
            if (node.kind != Node::Kind::string) {
              scope.wrong_kind(node, "a string such as \"cookie:session\"");
              return std::nullopt;
            }
            HashKey key;
            const std::string complaint = parse_hash_key(node.text, key);
            if (complaint.empty()) return key;
            scope.problem(node, complaint);
            return std::nullopt;
          },
          [](const HashKey& key) {
            const auto kind =
                std::find_if(kKeyKinds.begin(), kKeyKinds.end(),
                             [&](const auto& entry) { return entry.second == key.kind; });
            return "\"" + kind->first + (has_name(key.kind) ? ":" + key.name : "") + "\"";
          },
          shape::matching("client-ip|path|(header|cookie|query):.+")};
}

}  // namespace fairlead::conf
