#include "conf/load.h"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <type_traits>
#include <utility>

#include "conf/check.h"
#include "conf/documents.h"
#include "conf/schema.h"

namespace fairlead::conf {
namespace {

// Documents -> Config. Two rounds: what listeners and routes inherit may stand in a later file than
// they do.
class Builder {
 public:
  Builder(const Documents& documents, const Files& files, Report& report)
      : documents_(documents), files_(files), report_(report) {}

  Config build() {
    for (const auto& document : documents_.all()) read_single_tables(*document);
    for (const auto& document : documents_.all()) read_lists(*document);
    check_tables(tables_);
    if (documents_.complete()) {
      check_complete(tables_, documents_.all().front()->source, report_);
    }
    if (report_.clean()) check_routing(tables_);
    if (report_.clean()) find_hints(tables_);
    note_places();
    for (auto& listener : tables_.listeners) config_.listeners.push_back(std::move(listener.value));
    for (auto& route : tables_.routes) config_.routes.push_back(std::move(route.value));
    for (auto& backend : tables_.backends) config_.backends.push_back(std::move(backend.value));
    return std::move(config_);
  }

  const Places& places() const { return places_; }

 private:
  Scope scope_of(const Document& document) const { return {report_, document.source, files_}; }

  void read_single_tables(const Document& document) {
    read_single(document, "server", server_schema(), config_.server);
    read_single(document, "timeouts", timeouts_schema(), config_.timeouts);
    read_single(document, "log", log_schema(), config_.log);
    read_single(document, "admin", admin_schema(), config_.admin);
    read_single(document, "dns", dns_schema(), config_.dns);
    if (const Node* dns = document.root.find("dns")) {
      tables_.dns = Located<Dns>{config_.dns, dns, scope_of(document).inside("dns")};
    }
    read_single(document, "tracing", tracing_schema(), config_.tracing);
    if (const Node* admin = document.root.find("admin")) {
      tables_.admin = Located<Admin>{config_.admin, admin, scope_of(document).inside("admin")};
    }
    std::vector<std::string> known;
    for (const Described& section : file_description()) known.push_back(section.key);
    for (const Node& entry : document.root.children) {
      const bool is_known = std::find(known.begin(), known.end(), entry.key) != known.end();
      if (!is_known) refuse_key(entry, scope_of(document), known, later_sections());
    }
  }

  template <typename T>
  void read_single(const Document& document, const std::string& key, const Schema<T>& schema,
                   T& out) {
    const Node* table = document.root.find(key);
    if (table == nullptr) return;
    const Scope scope = scope_of(document);
    for (const auto& other : documents_.all()) {
      if (other.get() == &document) break;
      const Node* before = other->root.find(key);
      if (before == nullptr) continue;
      scope.problem_at_key(
          *table, "[" + key + "] is set twice (before: " + scope_of(*other).place(*before) + ")");
      break;
    }
    read_table(*table, scope.inside(key), schema, out);
  }

  void read_lists(const Document& document) {
    read_list(document, "listener", listener_schema(), tables_.listeners);
    read_list(document, "route", route_schema(), tables_.routes);
    read_list(document, "backend", backend_schema(), tables_.backends);
  }

  template <typename T>
  void read_list(const Document& document, const std::string& key, const Schema<T>& schema,
                 std::vector<Located<T>>& out) {
    const Node* list = document.root.find(key);
    if (list == nullptr) return;
    const Scope scope = scope_of(document);
    if (list->kind != Node::Kind::array) {
      scope.problem_at_key(*list, "there may be several: write [[" + key + "]], in two brackets");
      return;
    }
    for (const Node& node : list->children) {
      if (out.size() >= kListEntries) {
        scope.problem(node, "there are more than 10000 of [[" + key + "]]");
        return;
      }
      const Node* name = node.find("name");
      const bool named = name != nullptr && name->kind == Node::Kind::string;
      const std::string number = std::to_string(out.size() + 1);
      const Scope inner = scope.inside(key + " " + (named ? in_quotes(name->text) : number));
      out.push_back({inherited<T>(), &node, inner});
      read_table(node, inner, schema, out.back().value);
      complete(out.back().value);
    }
  }

  // A key of a single table, wherever that is.
  Place place_of_key(const std::string& table, const std::string& key) const {
    for (const auto& document : documents_.all()) {
      const Node* found = document->root.find(table);
      const Node* value = found != nullptr ? found->find(key) : nullptr;
      if (value == nullptr) continue;
      return scope_of(*document).inside(table).inside(key).place_of(*value);
    }
    return {};
  }

  static std::vector<Places::Certificate> certificates_of(const Located<Listener>& listener) {
    std::vector<Places::Certificate> result;
    const Node* tls = listener.node->find("tls");
    const Node* list = tls != nullptr ? tls->find("certificates") : nullptr;
    if (list == nullptr) return result;
    const Scope scope = listener.scope.inside("tls").inside("certificates");
    for (const Node& one : list->children) {
      const Node* cert = one.find("cert");
      const Node* key = one.find("key");
      if (cert == nullptr || key == nullptr) continue;
      result.push_back({scope.inside("cert").place_of(*cert), scope.inside("key").place_of(*key)});
    }
    return result;
  }

  void note_places() {
    places_.user = place_of_key("server", "user");
    places_.log_file = place_of_key("log", "file");
    places_.log_access = place_of_key("log", "access");
    for (const auto& listener : tables_.listeners) {
      places_.listeners.push_back(listener.scope.place_of(value_of(listener, "address")));
      places_.certificates.push_back(certificates_of(listener));
    }
    for (const auto& backend : tables_.backends) {
      places_.servers.emplace_back();
      for (const Node& server : value_of(backend, "servers").children)
        places_.servers.back().push_back(backend.scope.place_of(server));
    }
    places_.files = report_.files();
    for (const auto& document : documents_.all())
      places_.files.push_back({document->source.name(), {document->source.name(), 0, 0, "", ""}});
  }

  // What a table begins with.
  template <typename T>
  T inherited() const {
    T value;
    if constexpr (std::is_same_v<T, Listener>) value.timeouts = config_.timeouts.listener;
    if constexpr (std::is_same_v<T, Route>) value.timeouts = config_.timeouts.route;
    return value;
  }

  static void complete(Route& route) {
    if (route.name.empty()) route.name = route.backend;
  }

  template <typename T>
  static void complete(T&) {}

  const Documents& documents_;
  const Files& files_;
  Report& report_;
  Tables tables_;
  Config config_;
  Places places_;
};

std::optional<std::string> process_environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

template <typename Open>
LoadResult load(const Environment& environment, const Files& files, const std::string& name,
                const Open& open) {
  LoadResult result;
  try {
    Report report;
    Documents documents(environment, files, report);
    open(documents);
    if (!documents.all().empty()) {
      Builder builder(documents, files, report);
      Config config = builder.build();
      if (report.clean()) {
        result.config = std::move(config);
        result.places = builder.places();
      }
    }
    result.problems = report.problems();
    result.hints = report.hints();
  } catch (const std::exception& error) {
    // Out of memory, or an environment or file reader of the caller's that throws.
    result = {};
    result.problems.push_back({name, 0, 0, error.what(), ""});
  }
  return result;
}

}  // namespace

LoadResult load_file(const std::string& path, const Environment& environment, const Files& files) {
  return load(environment, files, path, [&](Documents& documents) { documents.add_file(path); });
}

LoadResult load_file(const std::string& path, const Environment& environment) {
  return load_file(path, environment, DiskFiles());
}

LoadResult load_file(const std::string& path) {
  return load_file(path, process_environment);
}

LoadResult load_text(std::string_view text, const std::string& name, const Environment& environment,
                     const Files& files) {
  return load(environment, files, name,
              [&](Documents& documents) { documents.add_text(text, name); });
}

LoadResult load_text(std::string_view text, const std::string& name,
                     const Environment& environment) {
  return load_text(text, name, environment, DiskFiles());
}

}  // namespace fairlead::conf
