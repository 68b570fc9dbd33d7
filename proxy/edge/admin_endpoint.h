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
#include "proxy/edge/live_feed.h"
#include "proxy/edge/reload.h"
#include "proxy/edge/session_queries.h"
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
    std::function<void(std::optional<conf::Rate>)> drain;  // again: only the rate counts
    std::function<Drainer&()> drainer;                     // while it serves
    std::function<std::string()> upgrade;                  // "" or why it did not begin
    std::function<std::optional<observe::UpgradeStatus>()> last_upgrade;
  };

  // `mailbox` is the loop's.
  AdminEndpoint(net::Loop& loop, net::Mailbox& mailbox, const Shared& shared, Process process);

  // Binds; a unix socket's file gets the mode 0660. "" or the reason why not. To be called while
  // the process has one thread and may still bind everywhere.
  // `listen`: opens the socket, as net::listen_on does.
  std::string open(const conf::Address& address,
                   const std::function<net::Bound(const conf::Address&)>& listen);

  // As bound.
  const conf::Address& address() const { return address_; }

  // Accepts from now on.
  void serve();
  // A reload has taken effect: what it does not allow any more ends, looks and streams under way
  // included.
  void use(const conf::Admin& before, const conf::Admin& now);
  // What is under way is answered.
  void stop_accepting();
  // Their clients ask again, and reach whoever listens by then.
  void end_streams();

  int listening() const { return listening_.get(); }

 private:
  observe::AdminAnswer answer(const wire::RequestHead& request, std::string_view body);

  observe::Status status() const override;
  std::vector<observe::BackendStatus> backends() const override;
  observe::CounterView counters() const override;
  std::string totals_json() const override;
  void watch(std::shared_ptr<observe::EventStream> stream) override;
  observe::Outcome reload() override;
  observe::Outcome drain(std::optional<conf::Rate> rate) override;
  observe::Outcome upgrade() override;
  observe::Outcome set_server(const std::string& backend, const std::string& server,
                              const observe::ServerChange& change) override;
  void list_sessions(const observe::SessionQuery& query, Reply reply) override;
  void show_session(std::uint64_t id, Reply reply) override;
  void close_session(std::uint64_t id, Reply reply) override;
  void close_sessions(const observe::SessionFilter& filter, Reply reply) override;
  void tap(const observe::TapRequest& request, observe::TapReply reply) override;

  // admin_drains.cc
  observe::Outcome set_drained(observe::DrainKind kind, const std::string& name,
                               const observe::DrainChange& change) override;
  std::vector<observe::DrainStatus> drains() const override;
  observe::Outcome undo_drain(std::uint32_t id) override;
  observe::Outcome apply(const Scope& scope, bool drain, std::optional<conf::Rate> rate);
  observe::Outcome set_state(const Scope& scope, const observe::ServerChange& change);

  net::Loop& loop_;
  const Shared& shared_;
  const Process process_;
  const std::time_t started_;
  const net::TimePoint begun_;
  net::Fd listening_;
  conf::Address address_;  // as bound
  SessionQueries sessions_;
  LiveFeed live_;
  TapDesk taps_;
  std::unique_ptr<AdminServer> server_;
};

}  // namespace fairlead::edge
