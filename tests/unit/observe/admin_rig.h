#pragma once
// The admin API without sockets, over a process that only notes what it is asked.

#include "proxy/observe/admin_json.h"
#include "proxy/observe/json_value.h"
#include "proxy/wire/head_parser.h"
#include "tests/support/catch.h"

#include "proxy/observe/admin.h"

namespace fairlead::observe::admin_rig {

inline constexpr std::string_view kToken = "0123456789abcdef";

struct FakeControl final : Control {
  Status status() const override { return now; }

  std::vector<BackendStatus> backends() const override { return pools; }

  CounterView counters() const override { return {}; }

  std::string totals_json() const override { return "{\"messages_in\":7}"; }

  void watch(std::shared_ptr<EventStream> stream) override { watching = std::move(stream); }

  Outcome reload() override {
    ++reloads;
    return reload_outcome;
  }

  Outcome drain(std::optional<conf::Rate> rate) override {
    now.draining = true;
    process_rate = rate;
    return {};
  }

  Outcome set_drained(DrainKind kind, const std::string& name, const DrainChange& change) override {
    if (name != "0.0.0.0:443" && name != "unix:/run/a b")
      return {Outcome::Kind::not_found, "no", {}};
    last_kind = kind;
    last = change;
    Outcome outcome;
    outcome.changed = jobs.empty();
    if (change.drain) jobs = {{3, "listener " + name, change.rate ? change.rate->per_second : 0}};
    if (change.drain) outcome.drain = 3;
    return outcome;
  }

  std::vector<DrainStatus> drains() const override { return jobs; }

  Outcome undo_drain(std::uint32_t id) override {
    if (id != 3) return {Outcome::Kind::not_found, "there is no drain", {}};
    jobs.clear();
    return {};
  }

  Outcome upgrade() override {
    if (upgrade_outcome.kind == Outcome::Kind::done) {
      now.upgrade = UpgradeStatus{UpgradeStatus::State::running, 77, ""};
    }
    return upgrade_outcome;
  }

  Outcome set_server(const std::string& backend, const std::string& server,
                     const ServerChange& change) override {
    if (backend != "chat") return {Outcome::Kind::not_found, "there is no backend", {}};
    for (ServerStatus& one : pools[0].servers) {
      if (one.address != server) continue;
      if (change.state) one.state = *change.state;
      if (change.weight) one.weight = *change.weight;
      return {};
    }
    return {Outcome::Kind::not_found, "no such server", {}};
  }

  void list_sessions(const SessionQuery& query, Reply reply) override {
    asked = query;
    reply(200, "{}");
  }

  void show_session(std::uint64_t id, Reply reply) override {
    shown = id;
    reply(id == 1 ? 200 : 404, id == 1 ? "{}" : R"({"error":"none"})");
  }

  void close_session(std::uint64_t id, Reply reply) override {
    closed = id;
    reply(200, R"({"closed":1})");
  }

  void close_sessions(const SessionFilter& filter, Reply reply) override {
    asked.filter = filter;
    reply(200, R"({"closed":7})");
  }

  SessionQuery asked;
  std::uint64_t shown = 0;
  std::uint64_t closed = 0;
  Status now;
  std::vector<BackendStatus> pools{
      {"chat", {{"10.0.0.1:80", ServerState::ready, 1, 5, true}, {"unix:/run/a.sock"}}}};
  Outcome reload_outcome;
  Outcome upgrade_outcome;
  int reloads = 0;
  std::optional<conf::Rate> process_rate;
  std::optional<DrainKind> last_kind;
  DrainChange last;
  std::vector<DrainStatus> jobs;
  std::shared_ptr<EventStream> watching;
};

struct FakeStream final : EventStream {
  bool send(std::string_view) override { return true; }

  void on_end(std::function<void()>) override {}

  void end() override {}
};

struct Rig {
  AdminAnswer ask(const std::string& method, const std::string& path, const std::string& lines = "",
                  std::string_view body = "") {
    const std::string host = lines.find("Host:") == lines.npos ? "Host: localhost\r\n" : "";
    const std::string text = method + " " + path + " HTTP/1.1\r\n" + host + lines + "\r\n";
    wire::RequestHead head;
    INFO(text);
    REQUIRE(wire::parse_request(text, head) == wire::HeadError::none);
    const AdminAnswer answer = answer_admin(control, access, head, body);
    if (answer.status >= 400 && answer.type == "application/json") {
      const auto value = parse_json(answer.body);
      REQUIRE(value);
      REQUIRE_FALSE(value->string_of("error").empty());
    }
    return answer;
  }

  int status(const std::string& method, const std::string& path, const std::string& lines = "",
             std::string_view body = "") {
    return ask(method, path, lines, body).status;
  }

  FakeControl control;
  AdminAccess access{AdminDoor::unix_socket, ""};
};

inline const std::string kBearer = "Authorization: Bearer 0123456789abcdef\r\n";

}  // namespace fairlead::observe::admin_rig
