#include "proxy/edge/admin_endpoint.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "proxy/observe/log.h"

namespace fairlead::edge {
namespace {

observe::ServerState to_state(balance::AdminState state) {
  switch (state) {
    case balance::AdminState::ready:
      break;
    case balance::AdminState::drain:
      return observe::ServerState::drain;
    case balance::AdminState::down:
      return observe::ServerState::down;
  }
  return observe::ServerState::ready;
}

balance::AdminState from_state(observe::ServerState state) {
  switch (state) {
    case observe::ServerState::ready:
      break;
    case observe::ServerState::drain:
      return balance::AdminState::drain;
    case observe::ServerState::down:
      return balance::AdminState::down;
  }
  return balance::AdminState::ready;
}

observe::ServerStatus status_of(const balance::PoolServer& server) {
  return {server.name, to_state(server.admin.load(std::memory_order_relaxed)),
          server.weight.load(std::memory_order_relaxed),
          server.sessions.load(std::memory_order_relaxed),
          server.up.load(std::memory_order_relaxed)};
}

observe::AdminDoor door_of(const conf::Address& address) {
  if (address.kind == conf::Address::Kind::unix_path) return observe::AdminDoor::unix_socket;
  return address.ip.is_loopback() ? observe::AdminDoor::loopback : observe::AdminDoor::network;
}

// With its line in the log once it is known.
observe::AdminAnswer logged_later(const wire::RequestHead& request, observe::AdminAnswer made) {
  std::string asked(request.method);
  asked.append(" ").append(request.path);
  made.later = [asked, later = std::move(made.later)](observe::AdminReply reply) {
    later([asked, reply = std::move(reply)](const observe::AdminAnswer& answer) {
      observe::log_info("admin: {}: {}", asked, answer.status);
      reply(answer);
    });
  };
  return made;
}

observe::Outcome not_found(std::string text) {
  return {observe::Outcome::Kind::not_found, std::move(text), {}};
}

}  // namespace

AdminEndpoint::AdminEndpoint(net::Loop& loop, const Shared& shared, Process process)
    : loop_(loop),
      shared_(shared),
      process_(std::move(process)),
      started_(std::time(nullptr)),
      begun_(loop.now()),
      taps_(loop, shared) {}

std::string AdminEndpoint::open(const conf::Address& address) {
  // The socket's file must not be open to others for a moment either.
  const bool is_file = address.kind == conf::Address::Kind::unix_path;
  const mode_t before = is_file ? umask(0117) : 0;
  net::Bound bound = net::listen_on(address);
  if (is_file) umask(before);
  if (!bound.fd) return "admin: " + bound.error;
  listening_ = std::move(bound.fd);
  address_ = bound.address;
  return "";
}

void AdminEndpoint::serve() {
  server_ = std::make_unique<AdminServer>(
      loop_, listening_.get(), [this](const wire::RequestHead& request, std::string_view body) {
        return answer(request, body);
      });
  observe::log_info("admin endpoint on {}", address_.text());
}

observe::AdminAnswer AdminEndpoint::answer(const wire::RequestHead& request,
                                           std::string_view body) {
  // Copied: a reload within may replace the configuration.
  const std::string token = process_.runtime()->config().admin.token;
  observe::AdminAnswer made =
      observe::answer_admin(*this, {door_of(address_), token}, request, body);
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (reads) return made;
  if (made.later) return logged_later(request, std::move(made));
  observe::log_info("admin: {} {}: {}", request.method, request.path, made.status);
  return made;
}

void AdminEndpoint::end_streams() {
  if (server_) server_->end_streams();
}

observe::Status AdminEndpoint::status() const {
  const Runtime& runtime = *process_.runtime();
  observe::Status status;
  status.version = FAIRLEAD_VERSION;
  status.pid = getpid();
  status.started = started_;
  status.uptime = std::chrono::duration<double>(loop_.now() - begun_).count();
  status.draining = shared_.stopping.load(std::memory_order_relaxed);
  status.connections = shared_.connections.load(std::memory_order_relaxed);
  status.max_connections = runtime.config().server.max_connections;
  for (const auto& pool : runtime.pools()) {
    for (std::size_t i = 0; i < pool->size(); ++i) {
      status.sessions += pool->server(i).sessions.load(std::memory_order_relaxed);
    }
  }
  for (const auto& worker : shared_.workers) status.workers.push_back(worker->connections());
  for (const ListenerRuntime& listener : runtime.listeners()) {
    status.listeners.push_back({listener.name, listener.tls != nullptr});
  }
  const LastReload& last = *process_.last_reload();
  if (last.succeeded + last.failed != 0) {
    status.last_reload = {last.ok, std::chrono::system_clock::to_time_t(last.at), last.succeeded,
                          last.failed};
  }
  if (shared_.spans != nullptr) status.tracing = shared_.spans->counts();
  return status;
}

std::vector<observe::BackendStatus> AdminEndpoint::backends() const {
  std::vector<observe::BackendStatus> backends;
  for (const auto& pool : process_.runtime()->pools()) {
    observe::BackendStatus backend{pool->name(), {}};
    for (const auto& server : pool->servers()) backend.servers.push_back(status_of(*server));
    backends.push_back(std::move(backend));
  }
  return backends;
}

void AdminEndpoint::tap(const observe::TapRequest& request, observe::TapReply reply) {
  taps_.open(process_.runtime()->config().admin, request, std::move(reply));
}

observe::Outcome AdminEndpoint::reload() {
  ReloadOutcome outcome = process_.reload();
  if (outcome.ok) return {};
  return {observe::Outcome::Kind::refused, "the reload failed, nothing changed",
          std::move(outcome.problems)};
}

observe::Outcome AdminEndpoint::drain() {
  process_.drain();
  return {};
}

// `drain` moves the open sessions too, until another state ends that.
void AdminEndpoint::set_state(const std::string& backend,
                              const std::shared_ptr<balance::PoolServer>& server,
                              balance::AdminState state) {
  const Scope scope{Scope::Kind::server, "", server, backend};
  if (state == balance::AdminState::drain) {
    process_.drainer().drain(scope);
    return;
  }
  process_.drainer().undo(scope);
  server->admin.store(state, std::memory_order_relaxed);
}

observe::Outcome AdminEndpoint::set_server(const std::string& backend, const std::string& server,
                                           const observe::ServerChange& change) {
  const auto& pools = process_.runtime()->pools();
  const auto pool = std::find_if(pools.begin(), pools.end(),
                                 [&](const auto& one) { return one->name() == backend; });
  if (pool == pools.end()) return not_found("there is no backend \"" + backend + "\"");
  const auto& servers = (*pool)->servers();
  const auto found = std::find_if(servers.begin(), servers.end(),
                                  [&](const auto& one) { return one->name == server; });
  if (found == servers.end()) {
    return not_found("backend \"" + backend + "\" has no server \"" + server + "\"");
  }
  balance::PoolServer& chosen = **found;
  if (change.weight) chosen.weight.store(*change.weight, std::memory_order_relaxed);
  if (change.state) set_state(backend, *found, from_state(*change.state));
  const observe::ServerStatus now = status_of(chosen);
  observe::log_info("admin: {}/{} is {}, weight {}", backend, server,
                    observe::state_word(now.state), now.weight);
  return {};
}

}  // namespace fairlead::edge
