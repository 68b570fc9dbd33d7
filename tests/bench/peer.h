#pragma once
// What the bench's echo server and load generator share: one connection with a small buffer, over
// TCP or TLS.

#include <openssl/ssl.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace fairlead::bench {

// A connected socket, non-blocking after its handshake. TLS where `tls` is set.
struct Peer {
  int fd = -1;
  SSL* tls = nullptr;
  std::string in;     // received, not used yet
  std::string out;    // not sent yet
  bool open = false;  // the WebSocket handshake is done
  unsigned in_flight = 0;

  // Reads once; false when the connection has ended.
  bool receive();
  // Sends what it can; false when the connection has ended.
  bool flush();
};

// Exits the program with a message: a bench has no other way to go on.
[[noreturn]] void die(const std::string& why);

struct Target {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
};

Target parse_target(std::string_view text);  // "127.0.0.1:8080"

// `echo`: a WebSocket server that returns each frame; ends with the process.
int run_echo(std::uint16_t port);

struct LoadOptions {
  Target target;
  bool tls = false;
  unsigned connections = 100;
  unsigned in_flight = 1;
  std::size_t size = 64;
  double seconds = 5;
  bool idle = false;  // opens, says so, and stays until standard input ends
};

int run_load(const LoadOptions& options);

}  // namespace fairlead::bench
