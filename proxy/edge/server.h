#pragma once
// The process: sockets, workers, signals, the order of its end. One per process.

#include <functional>
#include <memory>
#include <string>

#include "conf/load.h"
#include "proxy/edge/admin_endpoint.h"
#include "proxy/edge/drainer.h"
#include "proxy/edge/handover.h"
#include "proxy/edge/health_checks.h"
#include "proxy/edge/inheritance.h"
#include "proxy/edge/names.h"
#include "proxy/edge/reload.h"
#include "proxy/edge/runtime.h"
#include "proxy/edge/trace_exporter.h"
#include "proxy/edge/watchdog.h"
#include "proxy/edge/worker.h"

namespace fairlead::edge {

class Server {
 public:
  using Sockets = std::vector<std::shared_ptr<const Listening>>;

  // Loads the configuration again, as the one the process was started with.
  using Load = std::function<conf::LoadResult()>;

  // `load`: null where there is no file (proxy, demo).
  // `inheritance`: null where the process cannot be followed by another (demo); outlives it.
  explicit Server(std::shared_ptr<Runtime> runtime, Load load = nullptr,
                  Inheritance* inheritance = nullptr);
  ~Server();

  // Binds the listeners, drops privileges. "" or the reason why not.
  std::string start();

  // The listeners' addresses as bound.
  const std::vector<ListenerRuntime>& listeners() const { return runtime_->listeners(); }

  // The admin endpoint's, as bound; null: there is none.
  const conf::Address* admin_address() const { return admin_ ? &admin_->address() : nullptr; }

  // Starts the workers and serves until a signal ends it. Returns the exit code: 0, or 3 when a
  // second signal forced the end.
  int run();

  // Loads the file and takes it over, or changes nothing and says why; logged either way. The
  // workers follow within their next turn; where it has names nobody has asked for yet, once these
  // are answered, within Names::kPatience. Main thread. Refused (`untimely`) while the process
  // drains or is handed over, and while the one before is yet to be taken.
  ReloadOutcome reload();

  const LastReload& last_reload() const { return last_reload_; }

  // Starts a process that is to take this one's place; the outcome is logged and shown by the admin
  // endpoint. Main thread. "" or why it did not begin.
  std::string upgrade();

 private:
  std::string open_admin();
  void on_signal(int number);
  void drain(std::optional<conf::Rate> rate = std::nullopt);
  void arm_deadline(conf::Millis deadline);
  void finish();
  void send_last_spans();

  // server_reload.cc
  void on_hup();
  ReloadOutcome try_reload();
  std::string bind_listeners(Runtime& next, const Runtime* before, Sockets& sockets);
  void commit(std::shared_ptr<Runtime> next, Sockets sockets);
  void worker_has_taken();
  net::Bound listen(const conf::Address& address);

  // server_upgrade.cc
  void worker_has_started();
  void serving();
  void tell_ready(const std::string& status);
  std::string upgrade_refusal() const;
  void upgrade_ended(const std::string& error);
  void leave_to_successor();
  void bequeath();
  void go_on_draining();
  bool handing_over() const;
  void take_late(const std::optional<LateChanges>& changes);
  void set_late(const LateChanges::Server& change);
  void drain_late(Scope scope, bool drained);

  // server_names.cc
  bool resolve_names();
  void follow_names(const Runtime& runtime, const Runtime* and_of);
  void on_names();
  void take_names();
  void commit_pending();

  // A reload that waits for the first answers to its names.
  struct Pending {
    std::shared_ptr<Runtime> runtime;
    Sockets sockets;
  };

  std::shared_ptr<Runtime> runtime_;
  Load load_;
  Sockets sockets_;  // as in Snapshot
  std::uint64_t last_socket_ = 0;
  unsigned taking_workers_ = 0;  // have yet to take the last reload
  bool reload_again_ = false;    // HUP came meanwhile, or during a hand-over
  bool reloading_ = false;       // the service manager was told so
  std::string reload_text_;      // to be logged then
  LastReload last_reload_;
  std::optional<Pending> pending_;
  bool names_changed_ = false;  // while a reload was being taken
  bool ended_early_ = false;    // by a signal, before anything was served
  Shared shared_;
  net::Loop loop_;
  net::Mailbox mailbox_;
  TraceExporter exporter_;
  struct Deadline;
  struct HeapKeeper;
  std::unique_ptr<AdminEndpoint> admin_;  // null: off
  std::unique_ptr<Deadline> deadline_;
  Names names_;
  std::unique_ptr<HealthChecks> checks_;
  std::unique_ptr<Drainer> drainer_;  // while the workers run
  Inheritance* inheritance_;          // null: none
  std::optional<Heirloom> heirloom_;  // what of it has not reached its heir yet
  std::unique_ptr<Watchdog> watchdog_;
  std::unique_ptr<Handover> handover_;  // the last one
  Heirloom handed_;                     // what the new process was given for it
  std::optional<observe::UpgradeStatus> upgrade_;
  unsigned starting_workers_ = 0;  // do not accept yet
  unsigned draining_workers_ = 0;
  bool draining_ = false;
  bool may_be_told_once_ = false;  // it drains, and no signal has asked for that yet
  int exit_code_ = 0;
};

}  // namespace fairlead::edge
