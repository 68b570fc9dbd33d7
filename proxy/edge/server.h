#pragma once
// The process: sockets, workers, signals, the order of its end. One per process.

#include <memory>
#include <string>

#include "proxy/edge/drainer.h"
#include "proxy/edge/runtime.h"
#include "proxy/edge/worker.h"

namespace fairlead::edge {

class Server {
 public:
  explicit Server(std::shared_ptr<Runtime> runtime);
  ~Server();

  // Binds the listeners, drops privileges. "" or the reason why not.
  std::string start();

  // The listeners' addresses as bound.
  const std::vector<ListenerRuntime>& listeners() const { return runtime_->listeners(); }

  // Starts the workers and serves until a signal ends it. Returns the exit code: 0, or 3 when a
  // second signal forced the end.
  int run();

 private:
  void on_signal(int number);
  void drain();
  void finish();

  std::shared_ptr<Runtime> runtime_;
  Shared shared_;
  net::Loop loop_;
  net::Mailbox mailbox_;
  struct Deadline;
  struct HeapKeeper;
  std::unique_ptr<Deadline> deadline_;
  std::unique_ptr<Drainer> drainer_;  // while the workers run
  unsigned draining_workers_ = 0;
  bool draining_ = false;
  int exit_code_ = 0;
};

}  // namespace fairlead::edge
