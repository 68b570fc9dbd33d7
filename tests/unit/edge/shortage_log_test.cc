#include "proxy/edge/shortage_log.h"

#include "tests/support/catch.h"

namespace fairlead::edge {

TEST_CASE("shortage log: a line a second, and how many it stands for", "[edge][shortage_log]") {
  using namespace std::chrono_literals;
  ShortageLog log;
  const net::TimePoint start{1000h};
  const auto line = [&](std::chrono::milliseconds after, const char* server) {
    return log.line(start + after, "chat", server, "out_of_ports", "Cannot assign");
  };
  CHECK(line(0ms, "10.0.0.1:80") ==
        "backend \"chat\": connecting to 10.0.0.1:80 failed: out_of_ports (Cannot assign)");
  CHECK(line(1ms, "10.0.0.1:80").empty());
  CHECK(line(999ms, "10.0.0.2:80").empty());
  CHECK(line(1000ms, "10.0.0.2:80") ==
        "backend \"chat\": connecting to 10.0.0.2:80 failed: out_of_ports (Cannot assign); "
        "2 more since the last such line");
  CHECK(line(5000ms, "10.0.0.1:80").find("more") == std::string::npos);
}

}  // namespace fairlead::edge
