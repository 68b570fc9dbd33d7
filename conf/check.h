#pragma once
// The rules that concern more than one value.

#include <optional>
#include <vector>

#include "conf/config.h"
#include "conf/report.h"

namespace fairlead::conf {

// A table as it was read, and where.
template <typename T>
struct Located {
  T value;
  const Node* node;
  Scope scope;  // inside it: messages begin with `route "chat": `
};

// The value of a key, or its table where the key is not set.
template <typename T>
const Node& value_of(const Located<T>& table, std::string_view key) {
  const Node* value = table.node->find(key);
  return value != nullptr ? *value : *table.node;
}

struct Tables {
  std::optional<Located<Admin>> admin;
  std::optional<Located<Dns>> dns;
  std::vector<Located<Listener>> listeners;
  std::vector<Located<Route>> routes;
  std::vector<Located<Backend>> backends;
};

// Each table by itself and against the others.
void check_tables(const Tables& tables);

// That a listener, a route and a backend are there, and what routes name. Only where every file
// could be read: else what is missing may be in the file that is broken.
void check_complete(const Tables& tables, const Source& main, Report& report);

// What routes and servers come to together: a route no request gets to, a server that is a listener
// of ours. Only where all else is right.
void check_routing(const Tables& tables);

// Worth knowing, not wrong.
void find_hints(const Tables& tables);

}  // namespace fairlead::conf
