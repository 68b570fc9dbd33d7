#include "proxy/edge/admin_endpoint.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "proxy/edge/not_found.h"
#include "proxy/observe/admin_json.h"
#include "proxy/observe/log.h"
#include "proxy/observe/totals.h"

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

observe::ServerState to_state(balance::Condition::State state) {
  switch (state) {
    case balance::Condition::State::ready:
      break;
    case balance::Condition::State::ejected:
      return observe::ServerState::ejected;
    case balance::Condition::State::down:
      return observe::ServerState::down;
    case balance::Condition::State::drain:
      return observe::ServerState::drain;
  }
  return observe::ServerState::ready;
}

observe::ServerStatus status_of(const balance::Pool& pool, std::size_t index, net::TimePoint now) {
  using std::chrono::duration_cast;
  using System = std::chrono::system_clock;
  const balance::PoolServer& server = pool.server(index);
  const balance::Condition is = pool.condition(index, now);
  const auto wall = [now](net::TimePoint at) {
    return System::to_time_t(System::now() - duration_cast<System::duration>(now - at));
  };
  observe::ServerStatus status;
  status.address = server.name;
  status.state = to_state(is.state);
  status.weight = server.weight.load(std::memory_order_relaxed);
  status.sessions = server.sessions.load(std::memory_order_relaxed);
  status.up = is.works;
  status.from = pool.origin(index);
  status.set = to_state(server.admin.load(std::memory_order_relaxed));
  status.checked = server.checked.load(std::memory_order_relaxed);
  status.reason = is.reason;
  if (is.since) status.since = wall(*is.since);
  status.seconds_left = std::chrono::duration<double>(is.left).count();
  status.last_error = is.last_error;
  if (!is.last_error.empty()) status.last_error_at = wall(is.last_error_at);
  status.connect_failures = server.connect_failures.load(std::memory_order_relaxed);
  return status;
}

void count_server(const balance::Condition& server, observe::ServerCounts& counts) {
  switch (server.state) {
    case balance::Condition::State::ready:
      ++counts.ready;
      break;
    case balance::Condition::State::ejected:
      ++counts.ejected;
      break;
    case balance::Condition::State::down:
      ++counts.down;
      break;
    case balance::Condition::State::drain:
      ++counts.drain;
      break;
  }
}

std::int64_t epoch_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
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

}  // namespace

AdminEndpoint::AdminEndpoint(net::Loop& loop, net::Mailbox& mailbox, const Shared& shared,
                             Process process)
    : loop_(loop),
      shared_(shared),
      process_(std::move(process)),
      started_(std::time(nullptr)),
      begun_(loop.now()),
      sessions_(shared, [&mailbox](std::function<void()> work) { mailbox.post(std::move(work)); }),
      live_(loop, mailbox, shared, [this] { return observe::tick_json(*this, epoch_ms()); }),
      taps_(mailbox, shared) {}

std::string AdminEndpoint::open(const conf::Address& address,
                                const std::function<net::Bound(const conf::Address&)>& listen) {
  // The socket's file must not be open to others for a moment either.
  const bool is_file = address.kind == conf::Address::Kind::unix_path;
  const mode_t before = is_file ? umask(0117) : 0;
  net::Bound bound = listen(address);
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

void AdminEndpoint::use(const conf::Admin& before, const conf::Admin& now) {
  const observe::AdminDoor door = door_of(address_);
  const bool other_token = before.token != now.token;
  taps_.redact(now.tap_redact);
  if (!now.tap) {
    taps_.end_all("tap_off");
  } else if (other_token && door != observe::AdminDoor::unix_socket) {
    taps_.end_all("token_changed");
  }
  // Over the network to look needs a token, too: who has the new one asks again.
  if ((other_token || before.read_token != now.read_token) && door == observe::AdminDoor::network)
    end_streams();
}

void AdminEndpoint::stop_accepting() {
  if (server_) server_->stop_accepting();
  listening_.reset();
}

observe::AdminAnswer AdminEndpoint::answer(const wire::RequestHead& request,
                                           std::string_view body) {
  // Copied: a reload within may replace the configuration.
  const conf::Admin& admin = process_.runtime()->config().admin;
  const std::string token = admin.token;
  const std::string read_token = admin.read_token;
  observe::AdminAnswer made =
      observe::answer_admin(*this, {door_of(address_), token, read_token}, request, body);
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
  status.max_connections = std::min(runtime.config().server.max_connections, shared_.room);
  for (const auto& pool : runtime.pools()) {
    for (std::size_t i = 0; i < pool->size(); ++i) {
      status.sessions += pool->server(i).sessions.load(std::memory_order_relaxed);
      count_server(pool->condition(i, loop_.now()), status.servers);
    }
  }
  for (const auto& worker : shared_.workers) status.workers.push_back(worker->connections());
  for (const ListenerRuntime& listener : runtime.listeners()) {
    status.listeners.push_back({listener.name, listener.tls != nullptr});
    if (!listener.tls) continue;
    const tls::CertificateInfo& certificate = listener.tls->certificate();
    status.certificates.push_back({listener.name, certificate.names, certificate.not_after});
  }
  const LastReload& last = *process_.last_reload();
  if (last.succeeded + last.failed != 0) {
    status.last_reload = {last.ok, std::chrono::system_clock::to_time_t(last.at), last.succeeded,
                          last.failed};
  }
  status.drains = drains();
  if (process_.last_upgrade) status.upgrade = process_.last_upgrade();
  if (shared_.spans != nullptr) status.tracing = shared_.spans->counts();
  status.lost_lines = observe::lost_log_lines();
  return status;
}

std::vector<observe::BackendStatus> AdminEndpoint::backends() const {
  std::vector<observe::BackendStatus> backends;
  for (const auto& pool : process_.runtime()->pools()) {
    observe::BackendStatus backend{pool->name(), {}};
    for (std::size_t i = 0; i < pool->size(); ++i) {
      backend.servers.push_back(status_of(*pool, i, loop_.now()));
    }
    backends.push_back(std::move(backend));
  }
  return backends;
}

observe::CounterView AdminEndpoint::counters() const {
  observe::CounterView view{process_.runtime()->registry(), {}};
  for (const auto& worker : shared_.workers) view.workers.push_back(&worker->counters());
  return view;
}

std::string AdminEndpoint::totals_json() const {
  return observe::totals_json(counters());
}

void AdminEndpoint::watch(std::shared_ptr<observe::EventStream> stream) {
  live_.join(std::move(stream));
}

void AdminEndpoint::tap(const observe::TapRequest& request, observe::TapReply reply) {
  taps_.open(process_.runtime()->config().admin, request, std::move(reply));
}

observe::Outcome AdminEndpoint::reload() {
  ReloadOutcome outcome = process_.reload();
  if (outcome.ok) return {};
  if (outcome.untimely) return {observe::Outcome::Kind::refused, outcome.problems.front(), {}};
  return {observe::Outcome::Kind::refused, "the reload failed, nothing changed",
          std::move(outcome.problems)};
}

observe::Outcome AdminEndpoint::upgrade() {
  std::string problem = process_.upgrade ? process_.upgrade() : "this process cannot be upgraded";
  if (problem.empty()) return {};
  return {observe::Outcome::Kind::refused, std::move(problem), {}};
}

observe::Outcome AdminEndpoint::set_server(const std::string& backend, const std::string& server,
                                           const observe::ServerChange& change) {
  const auto& pools = process_.runtime()->pools();
  const auto pool = std::find_if(pools.begin(), pools.end(),
                                 [&](const auto& one) { return one->name() == backend; });
  if (pool == pools.end())
    return not_found("there is no backend \"" + backend + "\"", pools,
                     [](const auto& one) { return one->name(); });
  const auto& servers = (*pool)->servers();
  const auto found = std::find_if(servers.begin(), servers.end(),
                                  [&](const auto& one) { return one->name == server; });
  if (found == servers.end()) {
    // One that a reload has removed can be undone as long as it has sessions.
    for (const Drainer::Progress& one : process_.drainer().progress()) {
      const bool undo = change.state == observe::ServerState::ready;
      if (undo && one.what == backend + "/" + server) return undo_drain(one.id);
    }
    return not_found("backend \"" + backend + "\" has no server \"" + server + "\"", servers,
                     [](const auto& one) { return one->name; });
  }
  if (process_.drainer().ending()) {
    return {observe::Outcome::Kind::refused,
            "the process is stopping: nothing set here would be heeded any more",
            {}};
  }
  balance::PoolServer& chosen = **found;
  observe::Outcome outcome;
  outcome.changed = false;
  if (change.state) outcome = set_state({Scope::Kind::server, "", *found, backend}, change);
  if (outcome.kind != observe::Outcome::Kind::done) return outcome;
  if (change.weight && chosen.weight.exchange(*change.weight) != *change.weight)
    outcome.changed = true;
  const auto index = static_cast<std::size_t>(found - servers.begin());
  const observe::ServerStatus now = status_of(**pool, index, loop_.now());
  observe::log_info("admin: {}/{} is {}, weight {}", backend, server, observe::state_word(now.set),
                    now.weight);
  return outcome;
}

void AdminEndpoint::list_sessions(const observe::SessionQuery& query, Reply reply) {
  sessions_.list(query, std::move(reply));
}

void AdminEndpoint::show_session(std::uint64_t id, Reply reply) {
  sessions_.show(id, std::move(reply));
}

void AdminEndpoint::close_session(std::uint64_t id, Reply reply) {
  sessions_.close(id, std::move(reply));
}

void AdminEndpoint::close_sessions(const observe::SessionFilter& filter, Reply reply) {
  sessions_.close_all(filter, std::move(reply));
}

}  // namespace fairlead::edge
