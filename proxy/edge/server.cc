#include "proxy/edge/server.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "proxy/edge/heap_return.h"
#include "proxy/edge/privileges.h"
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
    timer.arm(server.loop_.now() + kInterval);
  }

  Server& server;
  HeapReturn heap;
  net::Timer timer;
};

Server::Server(std::shared_ptr<Runtime> runtime)
    : runtime_(std::move(runtime)), mailbox_(loop_), deadline_(std::make_unique<Deadline>(*this)) {
  shared_.runtime = runtime_;
}

Server::~Server() = default;

std::string Server::start() {
  for (std::size_t i = 0; i < runtime_->listeners().size(); ++i) {
    net::Bound bound = net::listen_on(runtime_->listeners()[i].settings->address);
    if (!bound.fd) return bound.error;
    runtime_->set_bound(i, bound.address);
    shared_.listening.push_back(std::move(bound.fd));
  }
  const std::string& user = runtime_->config().server.user;
  if (!user.empty()) return drop_privileges(user);
  if (geteuid() == 0) observe::log_warn("running as root: set server.user to drop privileges");
  return "";
}

int Server::run() {
  // Two descriptors a session: say at the start what the system allows, not at the worst moment.
  unsigned long files = raise_file_limit();
  std::uint32_t wanted = runtime_->config().server.max_connections;
  if (files < 2UL * wanted) {
    observe::log_info("open files are limited to {}: about {} sessions, max_connections is {}",
                      files, files / 2, wanted);
  }
  std::uint32_t tag = 0;
  tls::random_bytes({reinterpret_cast<char*>(&tag), 3});
  unsigned count = runtime_->config().server.workers;
  if (count == 0) count = std::max(1U, std::thread::hardware_concurrency());
  for (unsigned i = 0; i < count; ++i)
    shared_.workers.push_back(std::make_unique<Worker>(shared_, i, tag));
  net::Signals signals(loop_, {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1},
                       [this](int number) { on_signal(number); });
  for (auto& worker : shared_.workers) worker->start();
  drainer_ = std::make_unique<Drainer>(loop_, mailbox_, shared_);
  for (const ListenerRuntime& listener : runtime_->listeners()) {
    observe::log_info("listening on {}{}", listener.name, listener.tls ? " (tls)" : "");
  }
  HeapKeeper heap(*this);
  observe::log_info("ready: {} worker{}", count, count == 1 ? "" : "s");
  loop_.run();
  for (auto& worker : shared_.workers) worker->stop();
  for (auto& worker : shared_.workers) worker->join();
  observe::log_info("stopped");
  return exit_code_;
}

void Server::on_signal(int number) {
  if (number == SIGUSR1) return observe::reopen_logs();
  if (number == SIGHUP) return observe::log_warn("HUP: reload is not available in this version");
  if (draining_) {
    observe::log_warn("second signal: ending at once");
    exit_code_ = 3;
    return finish();
  }
  drain();
}

void Server::drain() {
  draining_ = true;
  shared_.stopping.store(true, std::memory_order_release);
  conf::Millis deadline = runtime_->config().server.drain.deadline;
  observe::log_info("draining {} connections, at most {} s", shared_.connections.load(),
                    std::chrono::duration<double>(deadline).count());
  deadline_->timer.arm(loop_.now() + deadline);
  draining_workers_ = static_cast<unsigned>(shared_.workers.size());
  for (auto& worker : shared_.workers) {
    worker->drain(loop_.now() + deadline, [this] {
      mailbox_.post([this] {
        if (--draining_workers_ == 0) finish();
      });
    });
  }
  drainer_->stop(loop_.now() + deadline);
}

void Server::finish() {
  loop_.stop();
}

}  // namespace fairlead::edge
