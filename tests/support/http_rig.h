#pragma once
// A client's connection over a socket pair, and the server's end of each connection Fairlead makes
// to it. A loop turned by hand, a clock that moves when the test says so.

#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/edge/connection.h"
#include "proxy/edge/idle_pool.h"
#include "tests/support/flow_rig.h"
#include "tests/support/temp_directory.h"

namespace fairlead::test {

class HttpFlow {
 public:
  // `buffer`: SO_SNDBUF and SO_RCVBUF of the client's pair; 0: the system's.
  explicit HttpFlow(conf::Route route = {}, conf::ListenerTimeouts timeouts = {}, int buffer = 0);
  ~HttpFlow();
  HttpFlow(const HttpFlow&) = delete;
  HttpFlow& operator=(const HttpFlow&) = delete;

  // Turns and moves bytes until nothing moves any more.
  HttpFlow& pump();
  // Time goes by, by a little more than `by`.
  HttpFlow& pass(std::chrono::milliseconds by);
  // ... a step at a time.
  HttpFlow& walk(std::chrono::milliseconds by, std::chrono::milliseconds step = 1s);
  // The client sends, and all comes to rest.
  HttpFlow& ask(std::string_view bytes);
  // The last server connection does.
  HttpFlow& reply(std::string_view bytes);

  // What the client got since the last time.
  std::string got() { return client->take(); }

  FarEnd& server(std::size_t i) { return *servers.at(i); }

  // What came to the last server connection since the last time.
  std::string asked() { return servers.empty() ? "" : servers.back()->take(); }

  // The reasons of the http lines so far, with a space behind each.
  std::string reasons() const;

  bool alive() const { return links.size() != 0; }

  // The worker takes a snapshot with another configuration; the one before. `socket`: that of its
  // listener, whose first one is 1.
  std::weak_ptr<const edge::Runtime> reload(const std::function<void(conf::Config&)>& change,
                                            std::uint64_t socket = 1);

  // Another client.
  std::unique_ptr<FarEnd> connect(
      edge::Connection::Welcome welcome = edge::Connection::Welcome::served);

  net::Loop loop;
  edge::Links links;
  std::ostringstream log;
  observe::AccessLog access;
  edge::IdlePool idle;
  edge::Home home;
  std::unique_ptr<FarEnd> client;
  std::vector<std::unique_ptr<FarEnd>> servers;

 private:
  bool accept_all();

  TempDirectory directory_;
  int listening_ = -1;
  int buffer_;
};

}  // namespace fairlead::test
