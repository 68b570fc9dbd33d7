#include "proxy/edge/service_manager.h"

#include <array>
#include <cstddef>
#include <cstdlib>

#include "tests/support/catch.h"

using namespace fairlead;
using namespace fairlead::edge;
using namespace std::chrono_literals;

TEST_CASE("service manager: what it is told", "[edge][notify]") {
  CHECK(ready_text(42, "serving") == "READY=1\nMAINPID=42\nSTATUS=serving\n");
  CHECK(ready_text(42, "two\nlines") == "READY=1\nMAINPID=42\nSTATUS=two lines\n");
  CHECK(reloading_text(123456us) == "RELOADING=1\nMONOTONIC_USEC=123456\nSTATUS=reloading\n");
  CHECK(stopping_text(30s) == "STOPPING=1\nEXTEND_TIMEOUT_USEC=40000000\nSTATUS=draining\n");
  CHECK(handed_over_text(43) == "MAINPID=43\nREADY=1\nWATCHDOG=1\nSTATUS=upgraded to process 43\n");
}

TEST_CASE("service manager: where it listens", "[edge][notify]") {
  net::SocketAddress raw{};
  const std::size_t start = offsetof(sockaddr_un, sun_path);
  CHECK(notify_address("/run/notify", raw) == start + 12);
  CHECK(std::string(raw.un.sun_path) == "/run/notify");
  CHECK(notify_address("@name", raw) == start + 5);
  CHECK(raw.un.sun_path[0] == '\0');
  CHECK(std::string(raw.un.sun_path + 1) == "name");
  CHECK(notify_address("/" + std::string(106, 'x'), raw) == start + 108);
  CHECK(notify_address("/" + std::string(107, 'x'), raw) == 0);
  for (const char* bad : {"", "@", "/", "relative", "vsock:2:1"}) {
    CAPTURE(bad);
    CHECK(notify_address(bad, raw) == 0);
  }
}

TEST_CASE("service manager: how often it wants a sign of life", "[edge][notify]") {
  CHECK(watchdog_interval(7, "30000000", "7") == 15s);
  CHECK(watchdog_interval(7, "30000000", nullptr) == 15s);
  CHECK_FALSE(watchdog_interval(7, "30000000", "8"));
  CHECK_FALSE(watchdog_interval(7, "30000000", ""));
  for (const char* bad : {"", "0", "1", "-5", "x", "10s", "99999999999999999999"}) {
    CAPTURE(bad);
    CHECK_FALSE(watchdog_interval(7, bad, nullptr));
  }
  CHECK_FALSE(watchdog_interval(7, nullptr, nullptr));
}

TEST_CASE("service manager: its variables are taken out of the environment and passed on",
          "[edge][notify]") {
  setenv("NOTIFY_SOCKET", "@nobody-listens-here", 1);
  setenv("WATCHDOG_USEC", "2000000", 1);
  unsetenv("WATCHDOG_PID");
  ServiceManager manager = ServiceManager::from_environment();
  CHECK(std::getenv("NOTIFY_SOCKET") == nullptr);
  CHECK(std::getenv("WATCHDOG_USEC") == nullptr);
  CHECK(manager.watchdog() == 1s);
  CHECK(manager.environment() ==
        std::vector<std::string>{"NOTIFY_SOCKET=@nobody-listens-here", "WATCHDOG_USEC=2000000"});
  manager.alive();  // nobody there: a warning, no more
  manager.handed_over(1);
  CHECK(manager.environment().empty());
  CHECK_FALSE(manager.watchdog());
}
