#pragma once
// The admin endpoint of the process: its listening socket, and what it shows and does. Main thread.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "conf/config.h"
#include "proxy/edge/admin_server.h"
#include "proxy/edge/drainer.h"
#include "proxy/edge/reload.h"
#include "proxy/edge/tap_desk.h"
#include "proxy/edge/worker.h"
#include "proxy/observe/control.h"

namespace fairlead::edge {

class AdminEndpoint final : observe::Control {
 public:
  // What it needs of the server.
  struct Process {
    std::function<const Runtime*()> runtime;  // the one in force
    std::function<const LastReload*()> last_reload;
    std::function<ReloadOutcome()> reload;
    std::function<void()> drain;
    std::function<Drainer&()> drainer;  // while it serves
  };

  AdminEndpoint(net::Loop& loop, const Shared& shared, Process process);

  // Binds; a unix socket's file gets the mode 0660. "" or the reason why not. To be called while
  // the process has one thread and may still bind everywhere.
  std::string open(const conf::Address& address);
  // Accepts from now on.
  void serve();
  // Their clients ask again, and reach whoever listens by then.
  void end_streams();

 private:
  observe::AdminAnswer answer(const wire::RequestHead& request, std::string_view body);

  observe::Status status() const override;
  std::vector<observe::BackendStatus> backends() const override;
  observe::Outcome reload() override;
  observe::Outcome drain() override;
  observe::Outcome set_server(const std::string& backend, const std::string& server,
                              const observe::ServerChange& change) override;
  void tap(const observe::TapRequest& request, observe::TapReply reply) override;

  void set_state(const std::string& backend, const std::shared_ptr<balance::PoolServer>& server,
                 balance::AdminState state);

  net::Loop& loop_;
  const Shared& shared_;
  const Process process_;
  const std::time_t started_;
  const net::TimePoint begun_;
  net::Fd listening_;
  conf::Address address_;  // as bound
  TapDesk taps_;
  std::unique_ptr<AdminServer> server_;
};

}  // namespace fairlead::edge
