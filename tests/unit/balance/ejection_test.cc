#include "proxy/balance/ejection.h"

#include <algorithm>

#include "tests/support/catch.h"

namespace fairlead::balance {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Clock::time_point kStart{std::chrono::hours(1000)};
constexpr std::uint32_t kMiddle = 0x80000000;  // no jitter

// Servers that fail, as a pool keeps them.
struct Servers {
  explicit Servers(std::size_t count) : backoff(count), ejection(count) {}

  void failed(std::size_t index, Clock::time_point now) { backoff[index].failed(now, kMiddle); }

  // A letter a server: 'x' for an ejected one.
  std::string out(Clock::time_point now) {
    std::vector<Clock::time_point> until;
    for (const auto& one : backoff) until.push_back(one.until());
    ejection.look(until, now);
    std::string text;
    for (std::size_t i = 0; i < backoff.size(); ++i) text += ejection.ejected(i) ? 'x' : '.';
    return text;
  }

  std::vector<Backoff> backoff;
  Ejection ejection;
};

}  // namespace

TEST_CASE("ejection: for as long as the backoff says", "[balance][ejection]") {
  Servers servers(4);
  CHECK(servers.out(kStart) == "....");
  servers.failed(1, kStart);
  CHECK(servers.out(kStart) == ".x..");
  CHECK(servers.out(kStart + milliseconds(999)) == ".x..");
  CHECK(servers.out(kStart + seconds(1)) == "....");
  servers.failed(1, kStart + seconds(1));
  CHECK(servers.out(kStart + milliseconds(2999)) == ".x..");
  servers.backoff[1].succeeded();
  CHECK(servers.out(kStart + milliseconds(2999)) == "....");
}

TEST_CASE("ejection: at most half, whoever fails", "[balance][ejection]") {
  struct Row {
    std::size_t servers;
    std::size_t most;
  };

  for (const auto& row : {Row{1, 0}, Row{2, 1}, Row{3, 1}, Row{4, 2}, Row{5, 2}, Row{9, 4}}) {
    CAPTURE(row.servers);
    for (std::size_t failing = 0; failing <= row.servers; ++failing) {
      Servers servers(row.servers);
      for (std::size_t i = 0; i < failing; ++i) servers.failed(i, kStart);
      const std::string text = servers.out(kStart);
      const auto count = static_cast<std::size_t>(std::count(text.begin(), text.end(), 'x'));
      CHECK(count == std::min(failing, row.most));
    }
  }
}

TEST_CASE("ejection: the longest backoffs are out, the next follow as they end",
          "[balance][ejection]") {
  Servers servers(4);
  servers.failed(0, kStart);
  servers.failed(1, kStart + milliseconds(300));
  servers.failed(2, kStart + milliseconds(200));
  servers.failed(3, kStart + milliseconds(100));
  CHECK(servers.out(kStart + milliseconds(400)) == ".xx.");
  servers.backoff[1].succeeded();
  CHECK(servers.out(kStart + milliseconds(400)) == "..xx");
  CHECK(servers.out(kStart + milliseconds(1150)) == "..x.");
  CHECK(servers.out(kStart + milliseconds(1200)) == "....");
}

TEST_CASE("ejection: one that stays in goes on growing its backoff", "[balance][ejection]") {
  Servers servers(1);
  servers.failed(0, kStart);
  CHECK(servers.out(kStart) == ".");
  servers.failed(0, kStart + seconds(1));
  CHECK(servers.backoff[0].failures() == 2);
  CHECK(servers.backoff[0].until() == kStart + seconds(3));
}

}  // namespace fairlead::balance
