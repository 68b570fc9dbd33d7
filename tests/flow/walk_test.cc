// A random walk: both ends do legal and illegal things in any order, with time going by. After each
// step what the ends got must be legal frames, nothing may stand behind a Close, the data must be
// what was sent, memory must stay bounded; at the end there is one line and nothing else.
// FAIRLEAD_SEED repeats a walk.

#include <cstdlib>
#include <random>

#include "tests/support/catch.h"
#include "tests/support/flow_rig.h"

namespace fairlead::test {
namespace {

class Dice {
 public:
  explicit Dice(std::uint32_t seed) : engine_(seed) {}

  unsigned operator()() { return static_cast<unsigned>(engine_()); }

 private:
  std::mt19937 engine_;
};

class Walk {
 public:
  explicit Walk(std::uint32_t seed) : random_(seed), flow_(random_route(), random_options()) {
    flow_.start();
  }

  // One action and its check. False: the session is over.
  bool step() {
    act(random_() % 2 == 0);
    for (unsigned turns = random_() % 3; turns > 0; --turns) flow_.turn();
    if (random_() % 2 == 0) flow_.client->pump();
    if (random_() % 2 == 0) flow_.backend->pump();
    flow_.turn();
    check();
    return flow_.alive();
  }

  // Silence: the clock alone has to end it.
  void finish() {
    for (int i = 0; i < 60 && flow_.alive(); ++i) flow_.pass(10s);
    check();
    REQUIRE_FALSE(flow_.alive());
    REQUIRE(flow_.close_lines() == 1);
    REQUIRE(flow_.lines().size() == 2);
    REQUIRE(flow_.home.busy == 0);
  }

 private:
  struct Sender {
    std::vector<Seen> data;  // whole legal data frames that were begun, in order
    std::string rest;        // of a frame cut in two
    bool in_message = false;
    bool honest = true;  // has done nothing illegal yet, nor closed
  };

  conf::Route random_route() {
    conf::Route route;
    if (random_() % 3 == 0) route.limits.messages = conf::Rate{5, 5};
    if (random_() % 4 == 0) route.limits.bytes = conf::Rate{5000, 20000};
    if (random_() % 8 == 0) route.limits.on_excess = conf::Limits::OnExcess::close;
    if (random_() % 4 == 0) route.websocket.max_message = 30'000;
    if (random_() % 4 == 0) route.websocket.idle_timeout = 60s;
    if (random_() % 4 == 0) route.websocket.max_lifetime = 90s;
    if (random_() % 4 == 0) route.websocket.ping_backend = false;
    return route;
  }

  FlowOptions random_options() {
    FlowOptions options;
    options.client_tls = random_() % 4 == 0;
    if (random_() % 3 != 0) options.buffer = 4096;
    return options;
  }

  FarEnd& end_of(bool client) { return client ? *flow_.client : *flow_.backend; }

  // Bytes may be cut within a frame; the rest has to come before anything else of that end.
  void send(bool client, const std::string& bytes) {
    Sender& sender = senders_[client ? 0 : 1];
    if (!end_of(client).is_open()) return;
    std::string all = std::exchange(sender.rest, {}) + bytes;
    std::size_t n = random_() % 4 == 0 ? random_() % (all.size() + 1) : all.size();
    sender.rest = all.substr(n);
    end_of(client).send(all.substr(0, n));
  }

  void send_data(bool client) {
    static constexpr std::size_t kSizes[] = {0, 1, 125, 126, 1000, 9000, 20'000};
    Sender& sender = senders_[client ? 0 : 1];
    Make frame{
        .opcode = sender.in_message ? 0U : 1U + static_cast<unsigned>(random_() % 2),
        .payload = std::string(kSizes[random_() % 7], static_cast<char>('a' + random_() % 26)),
        .masked = client,
        .fin = random_() % 3 != 0};
    sender.in_message = !frame.fin;
    sender.data.push_back({frame.opcode, frame.payload, frame.fin});
    send(client, make(frame));
  }

  void send_control(bool client, unsigned opcode) {
    std::string payload(random_() % 10, 'c');
    if (opcode == 8) payload = random_() % 3 == 0 ? "" : close_payload(1000 + random_() % 4, "r");
    send(client, make({.opcode = opcode, .payload = payload, .masked = client}));
  }

  // Answers the last Ping that end has seen.
  void send_pong(bool client) {
    for (const Seen& seen : parse_frames(end_of(client).received(), !client).frames) {
      if (seen.opcode == 9) last_ping_[client ? 0 : 1] = seen.payload;
    }
    send(client, make({.opcode = 10, .payload = last_ping_[client ? 0 : 1], .masked = client}));
  }

  void misbehave(bool client) {
    switch (random_() % 5) {
      case 0:
        return send(client, make({.opcode = 3, .masked = client}));
      case 1:
        return send(client, make({.opcode = 1, .payload = "mask", .masked = !client}));
      case 2:
        return send(client, make({.opcode = 9, .masked = client, .fin = false}));
      case 3:
        return send(client,
                    make({.opcode = 8, .payload = close_payload(1005, ""), .masked = client}));
      default:
        return send(client,
                    make({.opcode = 2, .payload = "len", .masked = client, .length_bytes = 8}));
    }
  }

  void act(bool client) {
    FarEnd& end = end_of(client);
    unsigned dice = random_() % 100;
    if (dice < 40) return send_data(client);
    if (dice < 50) return send_control(client, 9);
    if (dice < 60) return send_pong(client);
    if (dice < 63) return send_control(client, 8);
    if (dice < 66) return misbehave(client);
    if (dice < 73) return end.stop_reading(random_() % 2 == 0);
    if (dice < 86) return flow_.loop.advance_clock(std::chrono::milliseconds(random_() % 4000));
    if (dice < 92) return flow_.loop.advance_clock(std::chrono::seconds(random_() % 25));
    if (dice < 93 && end.is_open()) return end.half_close();
    if (dice < 94 && end.is_open()) return end.close();
    if (dice == 94 && flow_.alive()) return flow_.tunnel->drain(flow_.loop.now() + 10s);
    if (dice == 95 && flow_.alive() && random_() % 4 == 0) return flow_.tunnel->force_end();
    flow_.pump();
  }

  void check() {
    REQUIRE(flow_.held_for_client() <= conf::bounds::kLaneMemory);
    REQUIRE(flow_.held_for_backend() <= conf::bounds::kLaneMemory);
    check_received(true);
    check_received(false);
    REQUIRE(flow_.close_lines() == (flow_.alive() ? 0 : 1));
  }

  void check_received(bool client) {
    const std::string& received = end_of(client).received();
    if (received.size() == checked_[client ? 0 : 1]) return;
    checked_[client ? 0 : 1] = received.size();
    Parsed got = parse_frames(received, !client);
    REQUIRE(got.wrong == "");
    const std::vector<Seen>& sent = senders_[client ? 1 : 0].data;
    std::size_t i = 0;
    for (const Seen& seen : got.frames) {
      if (seen.opcode >= 8) continue;
      REQUIRE(i < sent.size());
      REQUIRE((seen == sent[i]));
      ++i;
    }
  }

  Dice random_;
  Flow flow_;
  Sender senders_[2];
  std::string last_ping_[2];
  std::size_t checked_[2] = {0, 0};
};

}  // namespace

TEST_CASE("walk: random actions of both ends keep every invariant", "[flow][walk]") {
  const char* given = std::getenv("FAIRLEAD_SEED");
  std::uint32_t seed = given != nullptr
                           ? static_cast<std::uint32_t>(std::strtoul(given, nullptr, 10))
                           : std::random_device{}();
  int steps = 0;
  do {
    CAPTURE(seed);
    INFO("repeat with FAIRLEAD_SEED=" << seed);
    Walk walk(seed);
    for (int i = 0; i < 60; ++i) {
      ++steps;
      if (!walk.step()) break;
    }
    walk.finish();
    seed = seed * 1664525 + 1013904223;
  } while (steps < 5000 && given == nullptr);
}

}  // namespace fairlead::test
