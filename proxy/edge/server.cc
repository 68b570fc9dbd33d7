#include "proxy/edge/server.h"

#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "proxy/edge/connection_room.h"
#include "proxy/edge/heap_return.h"
#include "proxy/edge/privileges.h"
#include "proxy/edge/tcp_timeouts.h"
#include "proxy/edge/ticket_rotation.h"
#include "proxy/observe/log.h"
#include "tls/digest.h"

namespace fairlead::edge {

struct Server::Deadline final : net::Timer::Handler {
  explicit Deadline(Server& owner) : server(owner), timer(owner.loop_.timers(), *this) {}

  void on_timer(net::Timer&) override {
    observe::log_warn("drain deadline: ending what is left ({} connections)",
                      server.shared_.connections.load());
    server.finish();
  }

  Server& server;
  net::Timer timer;
};

// What is looked at every few seconds: memory to give back, log lines that were lost.
struct Server::HeapKeeper final : net::Timer::Handler {
  static constexpr conf::Millis kInterval{5000};

  explicit HeapKeeper(Server& owner) : server(owner), timer(owner.loop_.timers(), *this) {
    timer.arm(server.loop_.now() + kInterval);
  }

  // Here and not in a worker: relaying allocates nothing, so it goes on meanwhile.
  void on_timer(net::Timer&) override {
    if (heap.due(server.shared_.connections.load(std::memory_order_relaxed))) {
      auto begun = net::Clock::now();
      malloc_trim(0);
      observe::log_debug(
          "memory of ended connections given back in {} ms",
          std::chrono::duration<double, std::milli>(net::Clock::now() - begun).count());
    }
    observe::tell_lost_log_lines();
    timer.arm(server.loop_.now() + kInterval);
  }

  Server& server;
  HeapReturn heap;
  net::Timer timer;
};

Server::Server(std::shared_ptr<Runtime> runtime, Load load, Inheritance* inheritance)
    : runtime_(std::move(runtime)),
      load_(std::move(load)),
      mailbox_(loop_),
      exporter_(loop_, mailbox_),
      deadline_(std::make_unique<Deadline>(*this)),
      names_(loop_, [this] { on_names(); }),
      inheritance_(inheritance) {
  if (inheritance != nullptr && inheritance->heirloom() != nullptr)
    heirloom_ = *inheritance->heirloom();
}

Server::~Server() = default;

std::string Server::start() {
  std::string problem = bind_listeners(*runtime_, nullptr, sockets_);
  if (problem.empty()) problem = open_admin();
  if (!problem.empty()) return problem;
  if (inheritance_ != nullptr) {
    for (const std::string& one : inheritance_->sockets.problems()) observe::log_warn("{}", one);
    for (const std::string& address : inheritance_->sockets.close_rest()) {
      observe::log_warn("inherited socket {} belongs to no listener: closed", address);
    }
    if (inheritance_->predecessor && inheritance_->heirloom() == nullptr) {
      observe::log_warn(
          "what the process before has made up could not be read: cookies without "
          "secret_file and tickets are not known any more");
    }
  }
  const std::string& user = runtime_->config().server.user;
  if (!user.empty()) return drop_privileges(user);
  if (geteuid() == 0) observe::log_warn("running as root: set server.user to drop privileges");
  return "";
}

std::string Server::open_admin() {
  if (!runtime_->config().admin.listen) return "";
  AdminEndpoint::Process process;
  process.runtime = [this] { return runtime_.get(); };
  process.last_reload = [this] { return &last_reload_; };
  process.reload = [this] { return reload(); };
  process.drain = [this](std::optional<conf::Rate> rate) {
    if (!draining_) {
      may_be_told_once_ = true;  // by a service manager that ran `fairlead drain` before
      return drain(rate);
    }
    if (drainer_->ending()) drainer_->stop(loop_.now(), rate);
  };
  process.drainer = [this]() -> Drainer& { return *drainer_; };
  process.upgrade = [this] { return upgrade(); };
  process.last_upgrade = [this] { return upgrade_; };
  admin_ = std::make_unique<AdminEndpoint>(loop_, mailbox_, shared_, std::move(process));
  return admin_->open(*runtime_->config().admin.listen,
                      [this](const conf::Address& address) { return listen(address); });
}

int Server::run() {
  unsigned count = runtime_->config().server.workers;
  if (count == 0) count = std::max(1U, std::thread::hardware_concurrency());
  // Two descriptors a session: say at the start what the system allows, not at the worst moment.
  const unsigned long files = raise_file_limit();
  const std::uint32_t wanted = runtime_->config().server.max_connections;
  const ConnectionRoom room = connection_room(files, count);
  shared_.room = room.clients;
  shared_.waiting.rooms = count;
  shared_.idle_each = std::max(1U, room.idle / count);
  if (shared_.room < wanted) {
    observe::log_info(
        "open files are limited to {}: {} connections at most, not max_connections, {}", files,
        shared_.room, wanted);
  }
  std::uint32_t tag = 0;
  tls::random_bytes({reinterpret_cast<char*>(&tag), 3});
  std::uint64_t hop = 0;
  tls::random_bytes({reinterpret_cast<char*>(&hop), sizeof hop});
  shared_.hop = fmt::format("{:016x}", hop);
  exporter_.use(runtime_->config().tracing, runtime_->config().dns);
  shared_.spans = &exporter_.queue();
  for (unsigned i = 0; i < count; ++i)
    shared_.workers.push_back(std::make_unique<Worker>(shared_, i, tag));
  net::Signals signals(loop_, {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2},
                       [this](int number) { on_signal(number); });
  starting_workers_ = count;
  if (!resolve_names()) return exit_code_;
  for (auto& worker : shared_.workers) {
    worker->take({runtime_, sockets_}, [this] { mailbox_.post([this] { worker_has_started(); }); });
    worker->start();
  }
  drainer_ = std::make_unique<Drainer>(loop_, mailbox_, shared_, runtime_);
  for (const ListenerRuntime& listener : runtime_->listeners()) {
    observe::log_info("listening on {}{}", listener.name, listener.tls ? " (tls)" : "");
  }
  HeapKeeper heap(*this);
  TicketRotation tickets(loop_, [this]() -> const Runtime& { return *runtime_; });
  loop_.set_tcp_timeouts(tcp_timeouts(runtime_->config()));
  checks_ = std::make_unique<HealthChecks>(loop_, runtime_);
  loop_.run();
  for (auto& worker : shared_.workers) worker->stop();
  for (auto& worker : shared_.workers) worker->join();
  send_last_spans();
  observe::log_info("stopped");
  return exit_code_;
}

void Server::on_signal(int number) {
  if (number == SIGUSR1) return observe::reopen_logs();
  if (number == SIGHUP) return on_hup();
  if (number == SIGUSR2) {
    const std::string problem = upgrade();
    if (!problem.empty()) observe::log_warn("USR2: {}", problem);
    return;
  }
  if (!drainer_) {
    ended_early_ = true;
    return;
  }
  if (draining_ && std::exchange(may_be_told_once_, false)) {
    return observe::log_info("draining already; the signal again ends at once");
  }
  if (draining_) {
    observe::log_warn("second signal: ending at once");
    exit_code_ = 3;
    return finish();
  }
  drain();
}

void Server::drain(std::optional<conf::Rate> rate) {
  draining_ = true;
  pending_.reset();
  handover_.reset();
  checks_.reset();
  shared_.stopping.store(true, std::memory_order_release);
  conf::Millis deadline = runtime_->config().server.drain.deadline;
  observe::log_info("draining {} connections, at most {} s", shared_.connections.load(),
                    std::chrono::duration<double>(deadline).count());
  if (inheritance_ != nullptr) inheritance_->manager.stopping(deadline);
  arm_deadline(deadline);
  draining_workers_ = static_cast<unsigned>(shared_.workers.size());
  for (auto& worker : shared_.workers) {
    worker->drain(loop_.now() + deadline, [this] {
      mailbox_.post([this] {
        if (--draining_workers_ == 0) finish();
      });
    });
  }
  drainer_->stop(loop_.now() + deadline, rate);
  if (admin_) admin_->end_streams();
}

void Server::arm_deadline(conf::Millis deadline) {
  deadline_->timer.arm(loop_.now() + deadline);
}

void Server::finish() {
  loop_.stop();
}

// A collector that does not answer does not hold the end up for long, nor at all once a second
// signal has come.
void Server::send_last_spans() {
  constexpr conf::Millis kLongest{1000};
  loop_.turn(false);  // what the workers posted
  if (exporter_.queue().waiting() == 0) return;
  bool done = false;
  const conf::Millis patience = exit_code_ == 0 ? kLongest : conf::Millis{0};
  exporter_.finish(loop_.now() + patience, [&] { done = true; });
  const bool forced = exit_code_ != 0;
  while (!done && (forced || exit_code_ == 0)) loop_.turn(true);
}

}  // namespace fairlead::edge
