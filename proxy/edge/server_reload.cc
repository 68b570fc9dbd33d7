// The server's listening sockets, and the reload: the new configuration is made in full next to the
// running one, then takes its place at once, or nothing has happened.

#include <algorithm>

#include "proxy/edge/server.h"
#include "proxy/edge/tcp_timeouts.h"
#include "proxy/observe/log.h"

namespace fairlead::edge {
namespace {

// The socket of the n-th listener of that address, as written ("127.0.0.1:0" may stand there
// twice).
std::shared_ptr<const Listening> find_socket(const Server::Sockets& all, const Runtime& before,
                                             const conf::Address& address,
                                             const Server::Sockets& taken) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool free = std::find(taken.begin(), taken.end(), all[i]) == taken.end();
    if (free && before.listeners()[i].settings->address == address) return all[i];
  }
  return nullptr;
}

}  // namespace

// One socket for each listener of `next`: the one `before` has at its address, or a new one. What
// is in `sockets_` stays as it is. Returns "" or why not; then the new ones are closed again.
std::string Server::bind_listeners(Runtime& next, const Runtime* before, Sockets& sockets) {
  Sockets made;
  for (std::size_t i = 0; i < next.listeners().size(); ++i) {
    const conf::Address& address = next.listeners()[i].settings->address;
    std::shared_ptr<const Listening> socket;
    if (before != nullptr) socket = find_socket(sockets_, *before, address, made);
    if (!socket) {
      net::Bound bound = listen(address);
      if (!bound.fd) return bound.error;
      socket = std::make_shared<const Listening>(
          Listening{std::move(bound.fd), bound.address, ++last_socket_});
    }
    next.set_bound(i, socket->address, socket->number, socket->gate);
    made.push_back(std::move(socket));
  }
  sockets = std::move(made);
  return "";
}

// An inherited socket, or a new one.
net::Bound Server::listen(const conf::Address& address) {
  net::Bound bound;
  if (inheritance_ != nullptr) {
    bound = inheritance_->sockets.claim(address);
  }
  if (!bound.fd) bound = net::listen_on(address);
  if (bound.fd) net::set_tcp_timeouts(bound.fd.get(), tcp_timeouts(runtime_->config()));
  return bound;
}

// One that comes while the workers take the last one over waits for them; several are one. During a
// hand-over it is the new process's, unless that fails.
void Server::on_hup() {
  if (!load_) return observe::log_warn("HUP: started without a file, there is nothing to reload");
  if (handing_over()) {
    reload_again_ = true;
    return observe::log_info("HUP: an upgrade is under way, whoever serves after it reloads");
  }
  if ((taking_workers_ + starting_workers_ != 0 || pending_) && !draining_) {
    reload_again_ = true;
    return;
  }
  reload();
}

ReloadOutcome Server::reload() {
  ReloadOutcome outcome;
  if (!load_) outcome.problems.emplace_back("started without a file, there is nothing to reload");
  if (handing_over()) {
    outcome.problems.emplace_back("an upgrade is under way: ask again once the new process serves");
  } else if (draining_) {
    outcome.problems.emplace_back("the process is stopping");
  }
  if (taking_workers_ != 0 || pending_)
    outcome.problems.emplace_back("a reload is under way: ask again in a moment");
  if (starting_workers_ != 0) outcome.problems.emplace_back("the process is starting");
  outcome.untimely = !outcome.problems.empty();
  if (!outcome.untimely) {
    if (inheritance_ != nullptr) inheritance_->manager.reloading();
    outcome = try_reload();
    reloading_ = outcome.ok;
    if (!outcome.ok) tell_ready("reload failed, nothing changed: see the log");
    last_reload_.ok = outcome.ok;
    last_reload_.at = std::chrono::system_clock::now();
    ++(outcome.ok ? last_reload_.succeeded : last_reload_.failed);
  }
  if (outcome.ok) return outcome;
  for (const std::string& problem : outcome.problems) observe::log_error("{}", problem);
  observe::log_error("reload failed, nothing changed: {} problem{}", outcome.problems.size(),
                     outcome.problems.size() == 1 ? "" : "s");
  return outcome;
}

ReloadOutcome Server::try_reload() {
  conf::LoadResult loaded = load_();
  if (!loaded.config) {
    ReloadOutcome outcome;
    for (const conf::Problem& problem : loaded.problems) outcome.problems.push_back(problem.text());
    return outcome;
  }
  auto warnings = keep_what_needs_restart(runtime_->config(), *loaded.config);
  warnings.insert(warnings.end(), loaded.warnings.begin(), loaded.warnings.end());
  Runtime::Made made =
      Runtime::make(std::move(*loaded.config), nullptr, runtime_.get(), names_.lookup());
  if (!made.runtime) return {false, {made.error}};
  Sockets sockets;
  const std::string problem = bind_listeners(*made.runtime, runtime_.get(), sockets);
  if (!problem.empty()) return {false, {problem}};
  for (const std::string& warning : warnings) observe::log_warn("{}", warning);
  // Nothing can fail any more.
  follow_names(*made.runtime, runtime_.get());
  pending_ = Pending{std::move(made.runtime), std::move(sockets)};
  if (names_.settled()) commit_pending();
  return {true, {}};
}

void Server::commit(std::shared_ptr<Runtime> next, Sockets sockets) {
  const Changes changes = compare(*runtime_, *next);
  for (const ListenerRuntime& listener : next->listeners()) {
    const auto& before = runtime_->listeners();
    const bool is_new = std::none_of(before.begin(), before.end(), [&](const auto& one) {
      return one.socket == listener.socket;
    });
    if (is_new) observe::log_info("listening on {}{}", listener.name, listener.tls ? " (tls)" : "");
  }
  reload_text_ = changes.text();
  next->take_effect();
  const auto before = std::exchange(runtime_, std::move(next));
  checks_->use(runtime_);
  drainer_->use(runtime_);
  exporter_.use(runtime_->config().tracing, runtime_->config().dns);
  if (admin_) admin_->use(before->config().admin, runtime_->config().admin);
  sockets_ = std::move(sockets);
  loop_.set_tcp_timeouts(tcp_timeouts(runtime_->config()));
  for (const auto& socket : sockets_) net::set_tcp_timeouts(socket->fd.get(), loop_.tcp_timeouts());
  observe::set_log_level(runtime_->config().log.level);
  const std::uint32_t most = runtime_->config().server.max_connections;
  if (const std::uint32_t open = shared_.connections.load(); open > most) {
    observe::log_warn(
        "max_connections is {} now, and there are {}: all stay, new ones are "
        "answered 503 until they are fewer",
        most, open);
  }
  taking_workers_ = static_cast<unsigned>(shared_.workers.size());
  for (auto& worker : shared_.workers) {
    worker->take({runtime_, sockets_}, [this] { mailbox_.post([this] { worker_has_taken(); }); });
  }
  drainer_->removed(*before, *runtime_, changes);
}

void Server::worker_has_taken() {
  if (--taking_workers_ != 0) return;
  if (!reload_text_.empty()) observe::log_info("configuration reloaded: {}", reload_text_);
  if (std::exchange(reloading_, false)) tell_ready("configuration reloaded: " + reload_text_);
  if (std::exchange(names_changed_, false)) take_names();
  if (handing_over()) return;  // with the HUP that came, if one did
  if (taking_workers_ == 0 && std::exchange(reload_again_, false) && !draining_) reload();
}

}  // namespace fairlead::edge
