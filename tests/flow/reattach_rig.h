#pragma once
// A session whose route reattaches, with its servers in our hand.

#include <fcntl.h>

#include "proxy/net/socket.h"
#include "tests/support/catch.h"
#include "tests/support/http_rig.h"

namespace fairlead::test::reattach {

inline constexpr const char* kSwitch =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
inline constexpr const char* kDeflate = "Sec-WebSocket-Extensions: permessage-deflate";
inline constexpr const char* kForgetful =
    "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover";
inline constexpr const char* kReattached = "Fairlead-Reattached: ";

inline conf::Route route() {
  conf::Route route;
  route.on_backend_loss = conf::Route::OnBackendLoss::reattach;
  route.reattach.deadline = 10s;
  return route;
}

inline std::string handshake(const std::string& more = "") {
  return "GET /x HTTP/1.1\r\nHost: a.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
         (more.empty() ? "" : more + "\r\n") + "\r\n";
}

inline std::string agree(const std::string& more = "") {
  return kSwitch + (more.empty() ? "" : more + "\r\n") + "\r\n";
}

// A session with a server, and two servers more. servers[0] is the first one's connection.
struct Session {
  explicit Session(const conf::Route& settings = route(), const std::string& offer = "",
                   const std::string& answer = "", int buffer = 0)
      : flow(settings, {}, buffer), agreed(answer) {
    flow.ask(handshake(offer)).reply(agree(answer));
    REQUIRE(flow.got().substr(0, 12) == "HTTP/1.1 101");
    for (int i = 0; i < 2; ++i) {
      conf::Address address;
      address.kind = conf::Address::Kind::unix_path;
      address.host = directory.path + "/" + std::to_string(i);
      net::Bound bound = net::listen_on(address);
      REQUIRE(bound.error == "");
      listening.push_back(std::move(bound.fd));
      addresses.push_back(address);
    }
    flow.reload([&](conf::Config& config) {
      for (const conf::Address& address : addresses)
        config.backends[0].servers.emplace_back().address = address;
    });
    first_head = flow.asked();
    flow.server(0).take();
  }

  // Until nothing moves and nobody knocks any more.
  Session& pump() {
    for (int quiet = 0; quiet < 3; ++quiet) {
      flow.pass(10ms);
      for (net::Fd& one : listening) {
        const int fd = accept4(one.get(), nullptr, nullptr, SOCK_NONBLOCK);
        if (fd < 0) continue;
        flow.servers.push_back(std::make_unique<FarEnd>(fd, false));
        quiet = 0;
      }
    }
    return *this;
  }

  std::size_t dialled() const { return flow.servers.size(); }

  FarEnd& first() { return flow.server(0); }

  FarEnd& last() { return *flow.servers.back(); }

  FarEnd& client() { return *flow.client; }

  // The newest server gets the handshake and agrees.
  void attach() {
    REQUIRE(last().take().find(kReattached) != std::string::npos);
    last().send(agree(agreed));
    pump();
  }

  // Its Close goes out; both answer, and it is over.
  void check_end(int code, const std::string& reason) {
    pump();
    CHECK(client().close_code() == code);
    client().close_frame(static_cast<unsigned>(code));
    client().half_close();
    flow.pass(6s);
    CHECK_FALSE(flow.alive());
    CHECK(logged("reason", "\"" + reason + "\""));
  }

  bool logged(const std::string& name, const std::string& value) const {
    const std::string text = flow.log.str();
    const std::size_t close = text.find(R"("event":"close")");
    REQUIRE(close != std::string::npos);
    return text.find("\"" + name + "\":" + value, close) != std::string::npos;
  }

  TempDirectory directory;
  HttpFlow flow;
  std::string agreed;
  std::string first_head;
  std::vector<net::Fd> listening;
  std::vector<conf::Address> addresses;
};

inline std::string texts(const FarEnd& end) {
  std::string all;
  for (const Seen& seen : end.frames()) {
    if (seen.opcode <= 2) all += seen.payload + (seen.fin ? "|" : "");
  }
  return all;
}

// The newest server's session ends, as the app wants it.
inline void end_well(Session& session) {
  session.client().close_frame(1000);
  session.pump();
  CHECK(session.last().close_code() == 1000);
  session.last().close_frame(1000);
  session.last().half_close();
  session.client().half_close();
  session.pump();
  CHECK(session.client().close_code() == 1000);
  CHECK_FALSE(session.flow.alive());
}

}  // namespace fairlead::test::reattach
