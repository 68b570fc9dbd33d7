// The server's place among processes: it takes one over at the start, tells who manages it how it
// is, and hands over to a new one (USR2, `fairlead upgrade`). The new one is started with the
// listening sockets; once it serves, this one accepts no more, moves its sessions and ends. A new
// one that does not come to serve changes nothing.

#include <fmt/format.h>
#include <unistd.h>

#include "proxy/edge/server.h"
#include "proxy/observe/log.h"

namespace fairlead::edge {

using observe::UpgradeStatus;

void Server::worker_has_started() {
  if (--starting_workers_ != 0) return;
  const std::size_t count = shared_.workers.size();
  go_on_draining();
  if (admin_) admin_->serve();
  observe::log_info("ready: {} worker{}", count, count == 1 ? "" : "s");
  if (std::exchange(reload_again_, false) && !draining_) reload();
  if (inheritance_ == nullptr || !inheritance_->predecessor) return serving();
  upgrade_ = UpgradeStatus{UpgradeStatus::State::running, getpid(), ""};
  inheritance_->predecessor->ready(loop_, [this](const std::optional<LateChanges>& changes) {
    upgrade_->state = UpgradeStatus::State::done;
    observe::log_info("took over");
    serving();
    take_late(changes);
  });
}

// What was set in the process before, for the servers that are known by now. Those whose names are
// not resolved yet get it when they are.
void Server::bequeath() {
  if (!heirloom_) return;
  heirloom_->bequeath(*runtime_);
  if (names_.complete()) heirloom_.reset();
}

// What was drained there is drained here: each has its job, to be seen and to be undone.
void Server::go_on_draining() {
  if (draining_ || inheritance_ == nullptr || !inheritance_->predecessor) return;
  for (const auto& pool : runtime_->pools()) {
    for (const auto& server : pool->servers()) {
      if (server->admin.load() == balance::AdminState::drain)
        drainer_->drain({Scope::Kind::server, "", server, pool->name()});
    }
  }
  for (const ListenerRuntime& listener : runtime_->listeners()) {
    if (listener.gate->closed.load())
      drainer_->drain({Scope::Kind::listener, listener.name, nullptr, ""});
  }
  for (const RouteRuntime& route : runtime_->routes()) {
    if (route.gate->closed.load())
      drainer_->drain({Scope::Kind::route, route.settings->name, nullptr, ""});
  }
}

// A new process is starting, or serves and has not been told yet that it is the one that counts.
bool Server::handing_over() const {
  return handover_ && upgrade_ && upgrade_->state != UpgradeStatus::State::failed &&
         !drainer_->ending();
}

// What was set in the process before since it started this one.
void Server::take_late(const std::optional<LateChanges>& changes) {
  if (draining_) return;
  if (!changes) {
    return observe::log_warn(
        "what was changed in the process before while this one started could not be read");
  }
  if (changes->size() == 0) return;
  observe::log_info("taking {} changes over that were made meanwhile", changes->size());
  if (heirloom_) changes->apply(*heirloom_);
  for (const LateChanges::Server& one : changes->servers) set_late(one);
  for (const LateChanges::Listener& one : changes->listeners) {
    std::size_t skip = one.nth;
    for (const ListenerRuntime& listener : runtime_->listeners()) {
      if (listener.settings->address.text() != one.address || skip-- != 0) continue;
      drain_late({Scope::Kind::listener, listener.name, nullptr, ""}, one.drained);
    }
  }
  for (const LateChanges::Route& one : changes->routes) {
    for (const RouteRuntime& route : runtime_->routes()) {
      if (route.settings->name == one.name)
        drain_late({Scope::Kind::route, one.name, nullptr, ""}, one.drained);
    }
  }
  if (changes->reload) on_hup();
}

void Server::set_late(const LateChanges::Server& change) {
  for (const auto& pool : runtime_->pools()) {
    if (pool->name() != change.backend) continue;
    for (const auto& server : pool->servers()) {
      if (server->name != change.name) continue;
      if (change.weight) server->weight.store(*change.weight);
      if (!change.state) continue;
      drain_late({Scope::Kind::server, "", server, pool->name()},
                 *change.state == balance::AdminState::drain);
      server->admin.store(*change.state);
    }
  }
}

void Server::drain_late(Scope scope, bool drained) {
  if (drained) {
    drainer_->drain(scope);
  } else {
    drainer_->undo(scope);
  }
}

// From now on this is the process that counts.
void Server::serving() {
  if (inheritance_ == nullptr || draining_) return;
  inheritance_->manager.ready(fmt::format("serving, version {}", FAIRLEAD_VERSION));
  if (!inheritance_->manager.watchdog()) return;
  watchdog_ =
      std::make_unique<Watchdog>(loop_, mailbox_, shared_, *inheritance_->manager.watchdog(),
                                 [this] { inheritance_->manager.alive(); });
}

void Server::tell_ready(const std::string& status) {
  if (inheritance_ != nullptr && !draining_) inheritance_->manager.ready(status);
}

// "" or why it may not.
std::string Server::upgrade_refusal() const {
  if (inheritance_ == nullptr || inheritance_->program.path.empty()) {
    return "its backends live in this process: it cannot be handed over";
  }
  if (draining_) return "the process is stopping";
  if (handover_ && handover_->running()) {
    return fmt::format("an upgrade is under way: process {} is starting", handover_->pid());
  }
  if (starting_workers_ != 0) return "the process is starting";
  if (pending_) return "a reload is under way: ask again in a moment";
  if (upgrade_ && upgrade_->state == UpgradeStatus::State::running) {
    return "the process is taking over from another one";
  }
  if (getpid() == 1) {
    return "this is process 1: its end would be the container's. Start a new container instead";
  }
  return "";
}

std::string Server::upgrade() {
  std::string problem = upgrade_refusal();
  if (!problem.empty()) return problem;
  handed_ = Heirloom::of(*runtime_);
  std::vector<int> sockets;
  for (const auto& socket : sockets_) sockets.push_back(socket->fd.get());
  if (admin_) sockets.push_back(admin_->listening());
  if (!admin_) handed_.admin.clear();
  net::Program program = inheritance_->program;
  for (std::string& variable : inheritance_->manager.environment())
    program.environment.push_back(std::move(variable));
  handover_ = std::make_unique<Handover>(loop_);
  problem = handover_->start(std::move(program), std::move(sockets), handed_.text(),
                             [this](const std::string& error) { upgrade_ended(error); });
  if (!problem.empty()) {
    observe::log_error("upgrade failed: {}", problem);
    upgrade_ = UpgradeStatus{UpgradeStatus::State::failed, 0, problem};
    return problem;
  }
  observe::log_info("upgrade: process {} starts, {}", handover_->pid(), inheritance_->program.path);
  upgrade_ = UpgradeStatus{UpgradeStatus::State::running, handover_->pid(), ""};
  return "";
}

void Server::upgrade_ended(const std::string& error) {
  if (!error.empty()) {
    observe::log_error("upgrade failed, this process goes on: {}", error);
    upgrade_->state = UpgradeStatus::State::failed;
    upgrade_->error = error;
    if (std::exchange(reload_again_, false) && !draining_) on_hup();
    return;
  }
  upgrade_ = UpgradeStatus{UpgradeStatus::State::done, handover_->pid(), ""};
  observe::log_info("process {} serves: handing over", handover_->pid());
  draining_ = true;
  may_be_told_once_ = true;
  pending_.reset();
  checks_.reset();
  inheritance_->manager.handed_over(handover_->pid());
  if (admin_) {
    admin_->stop_accepting();
    admin_->end_streams();
  }
  // First nobody accepts any more: a worker may have accepted for another one.
  sockets_.clear();
  draining_workers_ = static_cast<unsigned>(shared_.workers.size());
  for (auto& worker : shared_.workers) {
    worker->take({runtime_, {}}, [this] {
      mailbox_.post([this] {
        if (--draining_workers_ == 0) leave_to_successor();
      });
    });
  }
}

void Server::leave_to_successor() {
  LateChanges changes = LateChanges::between(handed_, Heirloom::of(*runtime_));
  changes.reload = std::exchange(reload_again_, false);
  handover_->release(changes);
  const conf::Millis deadline = runtime_->config().server.drain.deadline;
  observe::log_info("handed over to process {}: moving {} connections, at most {} s",
                    handover_->pid(), shared_.connections.load(),
                    std::chrono::duration<double>(deadline).count());
  arm_deadline(deadline);
  draining_workers_ = static_cast<unsigned>(shared_.workers.size());
  for (auto& worker : shared_.workers) {
    worker->hand_over(loop_.now() + deadline, [this] {
      mailbox_.post([this] {
        if (--draining_workers_ == 0) finish();
      });
    });
  }
  drainer_->hand_over(loop_.now() + deadline);
}

}  // namespace fairlead::edge
