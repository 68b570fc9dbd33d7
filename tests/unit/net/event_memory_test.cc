#include "proxy/net/event_memory.h"

#include <event2/event.h>

#include <thread>
#include <vector>

#include "proxy/net/loop.h"
#include "tests/support/catch.h"
#include "tests/support/socket_pair.h"

namespace fairlead::net {

TEST_CASE("event memory: bases of several threads share the records, and give them back",
          "[net][memory]") {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int round = 0; round < 50; ++round) {
        Loop loop;
        test::SocketPair pair = test::make_tcp_pair();
        event* watched = event_new(
            loop.base(), pair.near, EV_READ, [](int, short, void*) {}, nullptr);
        event_add(watched, nullptr);
        loop.turn(false);
        event_free(watched);
        ::close(pair.near);
        ::close(pair.far);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  separate_event_memory();  // again: nothing happens
}

}  // namespace fairlead::net
