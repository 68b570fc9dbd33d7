#pragma once
// The process: sockets, workers, signals, the order of its end. One per process.

#include <functional>
#include <memory>
#include <string>

#include "conf/load.h"
#include "proxy/edge/admin_endpoint.h"
#include "proxy/edge/drainer.h"
#include "proxy/edge/health_checks.h"
#include "proxy/edge/reload.h"
#include "proxy/edge/runtime.h"
#include "proxy/edge/trace_exporter.h"
#include "proxy/edge/worker.h"

namespace fairlead::edge {

class Server {
 public:
  using Sockets = std::vector<std::shared_ptr<const Listening>>;

  // Loads the configuration again, as the one the process was started with.
  using Load = std::function<conf::LoadResult()>;

  // `load`: null where there is no file (proxy, demo).
  explicit Server(std::shared_ptr<Runtime> runtime, Load load = nullptr);
  ~Server();

  // Binds the listeners, drops privileges. "" or the reason why not.
  std::string start();

  // The listeners' addresses as bound.
  const std::vector<ListenerRuntime>& listeners() const { return runtime_->listeners(); }

  // Starts the workers and serves until a signal ends it. Returns the exit code: 0, or 3 when a
  // second signal forced the end.
  int run();

  // Loads the file and takes it over, or changes nothing and says why; logged either way. The
  // workers follow within their next turn. Main thread. Refused while the process drains and while
  // workers have yet to take the one before.
  ReloadOutcome reload();

  const LastReload& last_reload() const { return last_reload_; }

 private:
  std::string open_admin();
  void on_signal(int number);
  void drain();
  void finish();
  void send_last_spans();

  // server_reload.cc
  void on_hup();
  ReloadOutcome try_reload();
  std::string bind_listeners(Runtime& next, const Runtime* before, Sockets& sockets);
  void commit(std::shared_ptr<Runtime> next, Sockets sockets);
  void worker_has_taken();

  std::shared_ptr<Runtime> runtime_;
  Load load_;
  Sockets sockets_;  // as in Snapshot
  std::uint64_t last_socket_ = 0;
  unsigned taking_workers_ = 0;  // have yet to take the last reload
  bool reload_again_ = false;    // HUP came meanwhile
  std::string reload_text_;      // to be logged then
  LastReload last_reload_;
  Shared shared_;
  net::Loop loop_;
  net::Mailbox mailbox_;
  TraceExporter exporter_;
  struct Deadline;
  struct HeapKeeper;
  std::unique_ptr<AdminEndpoint> admin_;  // null: off
  std::unique_ptr<Deadline> deadline_;
  std::unique_ptr<HealthChecks> checks_;
  std::unique_ptr<Drainer> drainer_;  // while the workers run
  unsigned draining_workers_ = 0;
  bool draining_ = false;
  int exit_code_ = 0;
};

}  // namespace fairlead::edge
