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

TEST_CASE("waiting room: a flood of those that never ask does not drive out who has asked",
          "[edge][waiting_room]") {
  std::string gone;
  WaitingRoom room;
  std::vector<std::unique_ptr<Client>> all;
  const auto come = [&](bool asked, char name, net::TimePoint when) {
    all.push_back(std::make_unique<Client>(gone, name));
    room.enter(*all.back(), asked, when);
  };
  for (int i = 0; i < 16; ++i) come(true, 'k', kStart);
  // Few that have just come are clients, too: the oldest kept ones make room for them.
  for (int i = 0; i < 3; ++i) come(false, 'f', kStart + 10s);
  CHECK(room.shed_one(kStart + 10s));
  CHECK(gone == "k");
  come(false, 'f', kStart + 10s);
  CHECK_FALSE(room.shed_one(kStart + 10s));
  // Once they have waited they are the first to go, and as many may come.
  for (int i = 0; i < 4; ++i) CHECK(room.shed_one(kStart + 11s));
  CHECK(gone == "kffff");
}

TEST_CASE("waiting room: a flood at another worker counts, too", "[edge][waiting_room]") {
  std::string gone;
  WaitingRoom::Crowd crowd;
  crowd.rooms = 2;
  WaitingRoom room;
  WaitingRoom other;
  room.share(crowd);
  other.share(crowd);
  std::vector<std::unique_ptr<Client>> all;
  for (const char name : std::string("kabcd")) {
    all.push_back(std::make_unique<Client>(gone, name));
    (name == 'k' ? room : other).enter(*all.back(), name == 'k', kStart);
  }
  CHECK_FALSE(room.shed_one(kStart + 10s));
  for (int i = 0; i < 3; ++i) CHECK(other.shed_one(kStart + 10s));
  CHECK(room.shed_one(kStart + 10s));
  CHECK(gone == "abck");
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

TEST_CASE("connection room: two descriptors each, some that wait, and a reserve",
          "[edge][waiting_room]") {
  CHECK(connection_room(1'048'576, 2).idle == (1'048'576 - 304) / 8);
  CHECK(connection_room(1'048'576, 2).clients == (1'048'576 - 304 - 131'034) / 2);
  CHECK(connection_room(1024, 2).idle == 90);
  CHECK(connection_room(1024, 2).clients == (1024 - 304 - 90) / 2);
  CHECK(connection_room(256, 8).clients == 56);  // no more than half is kept back
  CHECK(connection_room(256, 8).idle == 16);
  CHECK(connection_room(0, 1).clients == 1);
  CHECK(connection_room(0, 1).idle == 1);
}

}  // namespace fairlead::edge
