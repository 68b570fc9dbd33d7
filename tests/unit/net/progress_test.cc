#include "proxy/net/progress.h"

#include "tests/support/catch.h"

namespace fairlead::net {
namespace {

using namespace std::chrono_literals;

const TimePoint kStart = TimePoint{} + 1000s;

}  // namespace

TEST_CASE("progress: a peer whose machine acknowledges nothing stands still", "[net][progress]") {
  Progress progress(kStart, 5000);
  for (int i = 1; i <= 30; ++i) progress.look(kStart + i * 1s, 5000);
  CHECK(progress.since() == kStart);
  CHECK(progress.looked() == kStart + 30s);
}

TEST_CASE("progress: each byte that is acknowledged counts, also while more is written",
          "[net][progress]") {
  Progress progress(kStart, 5000);
  progress.look(kStart + 10s, 4999);
  CHECK(progress.since() == kStart + 10s);
  progress.wrote(3000);  // 3000 more, of which and of the old ones 100 are gone
  progress.look(kStart + 20s, 7899);
  CHECK(progress.since() == kStart + 20s);
  progress.wrote(1000);
  progress.look(kStart + 30s, 8899);  // only more was written
  CHECK(progress.since() == kStart + 20s);
}

TEST_CASE("progress: room in the kernel that was full is progress of its own", "[net][progress]") {
  Progress progress(kStart, 5000);
  progress.moved(kStart + 7s);
  CHECK(progress.since() == kStart + 7s);
}

TEST_CASE("progress: a mark is reached when all before it is acknowledged", "[net][progress]") {
  Progress progress(kStart, 5000);
  progress.wrote(10);
  progress.mark(0);
  CHECK(progress.marked());
  progress.wrote(100'000);  // behind the mark
  progress.look(kStart + 1s, 100'001);
  CHECK_FALSE(progress.reached_mark());
  progress.look(kStart + 2s, 100'000);
  CHECK(progress.reached_mark());
}

TEST_CASE("progress: what is held back in front of a mark has to arrive too", "[net][progress]") {
  Progress progress(kStart, 5000);
  progress.mark(200);
  progress.wrote(200);
  progress.look(kStart + 1s, 150);
  CHECK_FALSE(progress.reached_mark());
  progress.look(kStart + 2s, 0);
  CHECK(progress.reached_mark());
}

TEST_CASE("progress: looks are a sixteenth of the limit apart", "[net][progress]") {
  CHECK(Progress::look_interval(32s) == 2s);
  CHECK(Progress::look_interval(3ms) == 1ms);
}

}  // namespace fairlead::net
