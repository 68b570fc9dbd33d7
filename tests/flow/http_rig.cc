#include "tests/support/http_rig.h"

#include <fcntl.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include "proxy/net/socket.h"
#include "tests/support/catch.h"

namespace fairlead::test {
namespace {

std::shared_ptr<spdlog::logger> make_logger(std::ostringstream& out) {
  auto logger = std::make_shared<spdlog::logger>(
      "access", std::make_shared<spdlog::sinks::ostream_sink_st>(out));
  logger->set_pattern("%v");
  return logger;
}

conf::Config make_config(conf::Route route, conf::ListenerTimeouts timeouts,
                         const conf::Address& server) {
  conf::Config config;
  config.listeners.emplace_back();
  config.listeners[0].timeouts = timeouts;
  config.timeouts.route = route.timeouts;
  route.backend = "pool";
  config.routes.push_back(std::move(route));
  config.backends.emplace_back();
  config.backends[0].name = "pool";
  config.backends[0].servers.emplace_back().address = server;
  return config;
}

}  // namespace

HttpFlow::HttpFlow(conf::Route route, conf::ListenerTimeouts timeouts, int buffer)
    : access(make_logger(log)),
      idle(loop),
      home{loop, links, access, {}, {}, false, {}, 0, nullptr, &idle, {}, nullptr},
      buffer_(buffer) {
  loop.on_turn_end([this] {
    links.bury();
    access.flush();
  });
  conf::Address address;
  address.kind = conf::Address::Kind::unix_path;
  address.host = directory_.path + "/server";
  net::Bound bound = net::listen_on(address);
  REQUIRE(bound.error == "");
  listening_ = bound.fd.release();
  auto made = edge::Runtime::make(make_config(std::move(route), timeouts, address));
  REQUIRE(made.error == "");
  made.runtime->set_bound(0, {}, 1);
  home.runtime = std::move(made.runtime);
  client = connect();
}

std::weak_ptr<const edge::Runtime> HttpFlow::reload(
    const std::function<void(conf::Config&)>& change, std::uint64_t socket) {
  const std::weak_ptr<const edge::Runtime> before = home.runtime;
  conf::Config config = home.runtime->config();
  change(config);
  auto made = edge::Runtime::make(std::move(config), nullptr, home.runtime.get());
  REQUIRE(made.error == "");
  made.runtime->set_bound(0, {}, socket);
  made.runtime->take_effect();
  home.runtime = std::move(made.runtime);
  return before;
}

HttpFlow::~HttpFlow() {
  ::close(listening_);
}

std::unique_ptr<FarEnd> HttpFlow::connect(edge::Connection::Welcome welcome) {
  SocketPair pair = make_pair(false, buffer_);
  edge::Connection::Arrival arrival;
  arrival.runtime = home.runtime;
  arrival.fd = net::Fd(pair.near);
  arrival.welcome = welcome;
  arrival.peer.ip = conf::Ip::v4(0xc0000207);
  auto connection = std::make_unique<edge::Connection>(home, std::move(arrival));
  edge::Connection& begun = *connection;
  links.adopt(std::move(connection));
  begun.start();
  return std::make_unique<FarEnd>(pair.far, true);
}

bool HttpFlow::accept_all() {
  int fd = accept4(listening_, nullptr, nullptr, SOCK_NONBLOCK);
  if (fd < 0) return false;
  servers.push_back(std::make_unique<FarEnd>(fd, false));
  return true;
}

HttpFlow& HttpFlow::pump() {
  for (int quiet = 0; quiet < 3;) {
    loop.turn(false);
    bool moved = accept_all();
    moved = client->pump() || moved;
    for (auto& one : servers) moved = one->pump() || moved;
    quiet = moved ? 0 : quiet + 1;
  }
  return *this;
}

HttpFlow& HttpFlow::pass(std::chrono::milliseconds by) {
  loop.advance_clock(by + 2 * net::TimerWheel::kTick);
  return pump();
}

HttpFlow& HttpFlow::walk(std::chrono::milliseconds by, std::chrono::milliseconds step) {
  for (; by >= step; by -= step) pass(step);
  return *this;
}

HttpFlow& HttpFlow::ask(std::string_view bytes) {
  client->send(bytes);
  return pump();
}

HttpFlow& HttpFlow::reply(std::string_view bytes) {
  REQUIRE_FALSE(servers.empty());
  servers.back()->send(bytes);
  return pump();
}

std::string HttpFlow::reasons() const {
  constexpr std::string_view kReason = "\"reason\":\"";
  std::string all;
  const std::string text = log.str();
  for (std::size_t at = text.find(kReason); at != text.npos; at = text.find(kReason, at + 1)) {
    const std::size_t begin = at + kReason.size();
    all += text.substr(begin, text.find('"', begin) - begin) + " ";
  }
  return all;
}

}  // namespace fairlead::test
