#include "proxy/edge/tcp_timeouts.h"

#include "tests/support/catch.h"

namespace fairlead::edge {

using namespace std::chrono_literals;

TEST_CASE("tcp timeouts: the kernel is never less patient than write_stall", "[edge]") {
  conf::Config config;
  CHECK(tcp_timeouts(config).keepalive == 60s);
  CHECK(tcp_timeouts(config).user_timeout == 120s);
  config.routes.resize(2);
  config.routes[1].timeouts.write_stall = 200s;
  CHECK(tcp_timeouts(config).user_timeout == 250s);
  config.timeouts.route.write_stall = 400s;
  CHECK(tcp_timeouts(config).user_timeout == 500s);
  config.timeouts.tcp = {std::nullopt, std::nullopt};
  CHECK_FALSE(tcp_timeouts(config).keepalive);
  CHECK_FALSE(tcp_timeouts(config).user_timeout);
}

}  // namespace fairlead::edge
