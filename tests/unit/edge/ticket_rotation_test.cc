#include "proxy/edge/ticket_rotation.h"

#include <fstream>

#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"
#include "tls/self_signed.h"

namespace fairlead::edge {

TEST_CASE("ticket rotation: TLS listeners get a new key every 12 hours", "[edge][tickets]") {
  using namespace std::chrono_literals;
  test::TempDirectory folder;
  const std::string file = folder.path + "/both.pem";
  const tls::SelfSigned own = tls::make_self_signed();
  std::ofstream(file) << own.key << own.certificate;
  conf::Config config;
  config.listeners.resize(3);
  config.listeners[0].tls.emplace().certificates = {{file, file}};
  config.listeners[1].tls.emplace().certificates = {{file, file}};
  config.listeners[1].tls->ticket_keys = std::string(80, 'k');
  auto made = Runtime::make(std::move(config));
  REQUIRE(made.error == "");
  const Runtime& runtime = *made.runtime;
  const auto keys = [&] { return runtime.listeners()[0].tls->made_ticket_keys(); };

  net::Loop loop;
  const TicketRotation rotation(loop, [&]() -> const Runtime& { return runtime; });
  const std::string first = keys();
  const auto pass = [&](std::chrono::hours time) {
    for (auto past = 0min; past < time; past += 10min) {
      loop.advance_clock(10min + 2 * net::TimerWheel::kTick);
      loop.turn(false);
    }
  };
  pass(11h);
  CHECK(keys() == first);
  pass(2h);
  CHECK(keys().size() == 160);
  CHECK(keys().substr(80) == first);
  pass(48h);
  CHECK(keys().size() == 240);
  CHECK(keys().find(first) == std::string::npos);
  CHECK(runtime.listeners()[1].tls->ticket_keys()->bytes() == std::string(80, 'k'));
}

}  // namespace fairlead::edge
