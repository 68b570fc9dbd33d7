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

// Worth knowing, not wrong.
void find_hints(const Tables& tables);

}  // namespace fairlead::conf
