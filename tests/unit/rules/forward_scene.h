#pragma once
// A client, what stands between it and us, and the request the backend gets.

#include <string>
#include <string_view>
#include <vector>

#include "proxy/rules/forward.h"
#include "tests/support/catch.h"
#include "tests/unit/rules/heads.h"

namespace fairlead::rules {

// A client at 192.0.2.7 speaks TLS to port 443 here; nobody in between.
struct Scene {
  Scene() {
    peer.ip = *conf::Ip::parse("192.0.2.7");
    peer.secure = true;
    peer.local_port = 443;
  }

  std::string forward(std::string_view lines, bool websocket = false) const {
    const Request request(lines);
    const std::vector<conf::Cidr> trusted{*conf::Cidr::parse("10.0.0.0/8")};
    const Client client = find_client(request.head, peer, trusted);
    std::string out = "before";
    write_backend_request(
        {request.head, peer, client, route, "id1", websocket, wire::request_framing(request.head)},
        out);
    REQUIRE(out.starts_with("before"));
    return out.substr(6);
  }

  Peer peer;
  conf::Route route;
};

inline Scene behind_proxy() {
  Scene scene;
  scene.peer.ip = *conf::Ip::parse("10.0.0.1");
  scene.peer.trusted = true;
  scene.peer.secure = false;
  scene.peer.local_port = 8080;
  return scene;
}

inline constexpr const char* kTail =
    "X-Forwarded-For: 192.0.2.7\n"
    "X-Forwarded-Proto: https\n"
    "X-Forwarded-Host: a.com\n"
    "X-Forwarded-Port: 443\n"
    "X-Real-IP: 192.0.2.7\n"
    "X-Request-Id: id1";

}  // namespace fairlead::rules
