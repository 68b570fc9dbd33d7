#pragma once
// The programs inside bench_peer, one for each subcommand.

#include <cstdint>
#include <string>

#include "tests/bench/sockets.h"

namespace fairlead::bench {

// A WebSocket backend. The request's path decides what a session gets: /push?size=N binary frames
// as fast as they are taken; /fan what sessions of /publish send; anything else its own messages.
// Without an Upgrade: 200, of ?size=N bytes.
int run_echo(std::uint16_t port);

struct RelayOptions {
  Target target;
  std::uint16_t plain_port = 0;  // 0: none
  std::uint16_t tls_port = 0;
  std::string cert;
  std::string key;
  bool splice = false;              // of plain connections
  std::size_t buffer = 256 * 1024;  // what one recv takes
};

int run_relay(const RelayOptions& options);

struct LoadOptions {
  Target target;
  bool tls = false;
  unsigned connections = 100;
  unsigned opening = 64;  // handshakes at a time
  unsigned sources = 64;  // addresses the connections come from, 127.0.1.1 and on
  std::size_t size = 64;
  double warm = 0.3;  // seconds before "warm"
  double seconds = 2;
  double deadline = 0;  // 0: made up from the others
  unsigned in_flight = 1;
  bool resume = false;
  double rate = 20;                   // messages a second of a connection
  unsigned slow = 0;                  // slow readers next to the others
  std::size_t slow_rate = 16 * 1024;  // bytes a second each takes
};

// All print "open" once the sessions are, "warm" when the window begins and "done" at its end, then
// their results as a line of JSON.

// Keeps `in_flight` messages on their way in each session.
int load_echo(const LoadOptions& options);
// Receives what /push sends.
int load_push(const LoadOptions& options);
// Opens ("warm" before, "open" after), stays until standard input ends, closes ("done" after).
int load_idle(const LoadOptions& options);
// Connects, upgrades, closes with a Close frame, and again; `connections` at a time.
int load_handshakes(const LoadOptions& options);
// Plain GETs on connections that stay; each answer is `size` bytes.
int load_get(const LoadOptions& options);
// Sends on a schedule whatever is unanswered; latency counts from the scheduled time.
int load_paced(const LoadOptions& options);
// One message at a time to all sessions, and how long until the last has it.
int load_fan(const LoadOptions& options);

}  // namespace fairlead::bench
