#pragma once
// A table of the configuration as ONE list of fields: it parses, it refuses what is not in it, and
// it prints the reference. To add an option: a member in config.h and a line in its list.

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "conf/config.h"
#include "conf/values.h"

namespace fairlead::conf {

// A key for the reference.
struct Described {
  std::string key;
  std::string type;
  std::string fallback;  // the default as it would stand in a file; "" if the key is required
  std::string doc;
  std::vector<Described> nested;  // of a table
  std::string shape = {};         // for JSON Schema, see shape.h; empty: by type, else any string
  bool required = false;
};

// Whether the fallback is a value, and not words such as `as in [timeouts]`.
bool has_literal_fallback(const Described& entry);

template <typename T>
struct Field {
  Described about;
  bool required = false;
  std::function<void(const Node&, const Scope&, T&)> read;  // the scope is already inside the key

  Field with_default(std::string text) && {
    about.fallback = std::move(text);
    return std::move(*this);
  }
};

template <typename T>
struct Schema {
  std::vector<Field<T>> fields;
  std::vector<std::string> later;  // keys the contract names and this version does not have

  std::vector<std::string> keys() const {
    std::vector<std::string> names;
    for (const Field<T>& field : fields) names.push_back(field.about.key);
    return names;
  }

  std::vector<Described> described() const {
    std::vector<Described> result;
    for (const Field<T>& field : fields) {
      result.push_back(field.about);
      result.back().required = field.required;
    }
    return result;
  }
};

// `unknown key "orgins" (did you mean "origins"?)` or `key "health" is not available in this
// version`.
void refuse_key(const Node& entry, const Scope& scope, const std::vector<std::string>& known,
                const std::vector<std::string>& later);

// Reads over what `out` holds, so that a value inherits what its table does not set.
template <typename T>
void read_table(const Node& table, const Scope& scope, const Schema<T>& schema, T& out) {
  if (table.kind != Node::Kind::table) {
    scope.wrong_kind(table, "a table");
    return;
  }
  for (const Node& entry : table.children) {
    const Field<T>* known = nullptr;
    for (const Field<T>& field : schema.fields) {
      if (field.about.key == entry.key) known = &field;
    }
    if (known == nullptr) {
      refuse_key(entry, scope, schema.keys(), schema.later);
    } else {
      known->read(entry, scope.inside(entry.key), out);
    }
  }
  for (const Field<T>& field : schema.fields) {
    if (!field.required || table.find(field.about.key) != nullptr) continue;
    scope.problem(table, "key \"" + field.about.key + "\" is missing");
  }
}

// The default is what a fresh T holds.
template <typename T, typename V>
Field<T> field(std::string key, V T::*member, Codec<V> codec, std::string doc) {
  Field<T> result;
  result.about = {std::move(key), codec.type, codec.show(T{}.*member),
                  std::move(doc), {},         codec.shape};
  result.read = [member, read = codec.read](const Node& node, const Scope& scope, T& out) {
    if (auto value = read(node, scope)) out.*member = std::move(*value);
  };
  return result;
}

template <typename T, typename V>
Field<T> required(std::string key, V T::*member, Codec<V> codec, std::string doc) {
  Field<T> result = field(std::move(key), member, std::move(codec), std::move(doc));
  result.about.fallback.clear();
  result.required = true;
  return result;
}

// A table within a table.
template <typename T, typename V>
Field<T> section(std::string key, V T::*member, const Schema<V>& schema, std::string doc) {
  Field<T> result;
  result.about = {std::move(key), "table", "", std::move(doc), schema.described()};
  result.read = [member, &schema](const Node& node, const Scope& scope, T& out) {
    read_table(node, scope, schema, out.*member);
  };
  return result;
}

// A table that need not be there.
template <typename T, typename V>
Field<T> optional_section(std::string key, std::optional<V> T::*member, const Schema<V>& schema,
                          std::string doc) {
  Field<T> result;
  result.about = {std::move(key), "table", "", std::move(doc), schema.described()};
  result.read = [member, &schema](const Node& node, const Scope& scope, T& out) {
    (out.*member).emplace();
    read_table(node, scope, schema, *(out.*member));
  };
  return result;
}

// The members of an object's JSON schema: each entry a property, and no others.
std::string object_shape(const std::vector<Described>& entries);

// A table as one of several forms of a value: { address = "...", weight = 2 }.
template <typename V>
Codec<V> table_of(const Schema<V>& schema) {
  return {"table",
          [&schema](const Node& node, const Scope& scope) -> std::optional<V> {
            if (node.kind != Node::Kind::table) {
              scope.wrong_kind(node, "a table");
              return std::nullopt;
            }
            V value;
            read_table(node, scope, schema, value);
            return value;
          },
          [](const V&) { return std::string(); }, object_shape(schema.described())};
}

const Schema<Server>& server_schema();
const Schema<Timeouts>& timeouts_schema();
const Schema<Log>& log_schema();
const Schema<Admin>& admin_schema();
const Schema<Dns>& dns_schema();
const Schema<Tracing>& tracing_schema();
const Schema<ListenerTimeouts>& listener_timeouts_schema();  // [listener.timeouts]
const Schema<RouteTimeouts>& route_timeouts_schema();        // [route.timeouts]
const Schema<Listener>& listener_schema();
const Schema<Route>& route_schema();
const Schema<Backend>& backend_schema();
const Schema<Health>& health_schema();  // [backend.health]

// The top of a file: its sections, and the keys that come later.
std::vector<Described> file_description();
std::vector<std::string> later_sections();

}  // namespace fairlead::conf
