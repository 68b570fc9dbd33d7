#include "proxy/observe/admin_drains.h"

#include <charconv>

#include "proxy/observe/admin_json.h"
#include "proxy/observe/json.h"

namespace fairlead::observe {
namespace {

constexpr std::string_view kDrains = "/api/drains";
constexpr std::string_view kListeners = "/api/listeners/";
constexpr std::string_view kRoutes = "/api/routes/";

// What stands behind the prefix; nothing: the path has another one, or nothing behind it.
std::optional<std::string_view> behind(std::string_view path, std::string_view prefix) {
  if (path.size() <= prefix.size() || path.substr(0, prefix.size()) != prefix) return std::nullopt;
  return path.substr(prefix.size());
}

AdminAnswer json(std::string body) {
  return {200, "application/json", std::move(body)};
}

AdminAnswer wrong_method(std::string_view allow) {
  AdminAnswer answer = admin_error(405, "this path takes another method: see Allow");
  answer.allow = allow;
  return answer;
}

AdminAnswer undo(Control& control, std::string_view part) {
  std::uint32_t id = 0;
  const char* const end = part.data() + part.size();
  const auto read = std::from_chars(part.data(), end, id);
  if (read.ec != std::errc() || read.ptr != end)
    return admin_error(404, "a drain goes by its number: see /api/drains");
  const Outcome outcome = control.undo_drain(id);
  return outcome.kind == Outcome::Kind::done ? json("{\"undone\":true}\n") : admin_failure(outcome);
}

AdminAnswer set_drained(Control& control, DrainKind kind, std::string_view part,
                        std::string_view body) {
  const auto name = decoded_part(part);
  if (!name) return admin_error(400, "bad percent-encoding in the path");
  std::string error;
  const auto change = parse_drain_change(body, error);
  if (!change) return admin_error(400, error);
  const Outcome outcome = control.set_drained(kind, *name, *change);
  if (outcome.kind != Outcome::Kind::done) return admin_failure(outcome);
  std::string about = kind == DrainKind::listener ? R"("address":)" : R"("name":)";
  append_json_string(*name, about);
  about += change->drain ? R"(,"state":"drain")" : R"(,"state":"ready")";
  return json(drain_json(about, outcome, control.drains()));
}

}  // namespace

std::optional<AdminAnswer> answer_drains(Control& control, const wire::RequestHead& request,
                                         std::string_view body) {
  const std::string_view path = request.path;
  if (path == kDrains) {
    if (request.method != "GET" && request.method != "HEAD") return wrong_method("GET, HEAD");
    return json(drains_json(control.drains()));
  }
  if (const auto id = behind(path, "/api/drains/"))
    return request.method == "DELETE" ? undo(control, *id) : wrong_method("DELETE");
  const auto listener = behind(path, kListeners);
  const auto route = behind(path, kRoutes);
  if (!listener && !route) return std::nullopt;
  if (request.method != "POST") return wrong_method("POST");
  return set_drained(control, listener ? DrainKind::listener : DrainKind::route,
                     listener ? *listener : *route, body);
}

}  // namespace fairlead::observe
