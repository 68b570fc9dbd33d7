#pragma once
// A running site and clients that are through the handshake.

#include <memory>
#include <string>

#include "proxy/demo/site.h"
#include "tests/support/catch.h"
#include "tests/unit/demo/client.h"

namespace fairlead::test {

inline std::unique_ptr<demo::Site> start_site(const demo::Limits& limits = {}) {
  std::string error;
  auto site = demo::Site::start(error, limits);
  CAPTURE(error);
  REQUIRE(site != nullptr);
  return site;
}

inline void shake_hands(Client& client, std::string_view path) {
  REQUIRE(client.connected());
  REQUIRE(client.send(handshake(path)));
  REQUIRE(client.head().substr(0, 12) == "HTTP/1.1 101");
}

struct EchoClient : Client {
  explicit EchoClient(const demo::Site& site) : Client(site.echo()) { shake_hands(*this, "/echo"); }
};

struct ChatClient : Client {
  explicit ChatClient(const demo::Site& site, int receive_buffer = 0)
      : Client(site.chat(), receive_buffer) {
    shake_hands(*this, "/chat");
  }
};

// One request on a connection of its own; everything that comes until its end.
inline std::string ask(const conf::Address& server, std::string_view request) {
  Client client(server);
  client.send(request);
  return client.rest();
}

inline std::string get(std::string_view path, std::string_view method = "GET") {
  return std::string(method).append(" ").append(path).append(" HTTP/1.1\r\nHost: demo\r\n\r\n");
}

}  // namespace fairlead::test
