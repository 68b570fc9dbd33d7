#include "proxy/edge/waiting_room.h"

#include <memory>
#include <string>
#include <vector>

#include "proxy/edge/connection_room.h"
#include "tests/support/catch.h"

namespace fairlead::edge {
namespace {

using namespace std::chrono_literals;

const net::TimePoint kStart{std::chrono::hours(1000)};

struct Client final : WaitingRoom::Seat {
  Client(std::string& list, char name) : gone(list), letter(name) {}

  void shed() override { gone += letter; }

  std::string& gone;
  char letter;
};

}  // namespace

TEST_CASE("waiting room: who never asked goes first, the oldest before the others",
          "[edge][waiting_room]") {
  std::string gone;
  WaitingRoom room;
  Client kept(gone, 'k');
  Client first(gone, '1');
  Client second(gone, '2');
  room.enter(kept, true, kStart);
  room.enter(first, false, kStart + 1s);
  room.enter(second, false, kStart + 2s);
  room.enter(first, false, kStart + 3s);  // it waits already
  for (int i = 0; i < 3; ++i) CHECK(room.shed_one(kStart + 10s));
  CHECK_FALSE(room.shed_one(kStart + 10s));
  CHECK(gone == "12k");
}

TEST_CASE("waiting room: who has just come is about to ask", "[edge][waiting_room]") {
  std::string gone;
  WaitingRoom room;
  Client fresh(gone, 'f');
  Client kept(gone, 'k');
  room.enter(fresh, false, kStart + 500ms);
  room.enter(kept, true, kStart);
  CHECK_FALSE(room.shed_one(kStart + 999ms));
  CHECK(room.shed_one(kStart + 1s));
  CHECK(gone == "k");
  CHECK(room.shed_one(kStart + 1500ms));
  CHECK(gone == "kf");
}

TEST_CASE("waiting room: any may leave, and does at its end", "[edge][waiting_room]") {
  std::string gone;
  WaitingRoom room;
  std::vector<std::unique_ptr<Client>> all;
  for (const char name : std::string("abcde")) {
    all.push_back(std::make_unique<Client>(gone, name));
    room.enter(*all.back(), false, kStart);
  }
  room.leave(*all[2]);
  room.leave(*all[2]);
  all[0].reset();
  all[4].reset();
  room.enter(*all[2], false, kStart + 1s);
  while (room.shed_one(kStart + 1min)) {
  }
  CHECK(gone == "bdc");
}

TEST_CASE("connection room: two descriptors each, and a reserve", "[edge][waiting_room]") {
  CHECK(connection_room(1'048'576, 2) == (1'048'576 - 160 - 144) / 2);
  CHECK(connection_room(1024, 2) == (1024 - 304) / 2);
  CHECK(connection_room(256, 8) == 64);  // no more than half is kept back
  CHECK(connection_room(0, 1) == 1);
}

}  // namespace fairlead::edge
