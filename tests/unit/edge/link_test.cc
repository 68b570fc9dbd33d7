#include "proxy/edge/link.h"

#include "tests/support/catch.h"

namespace fairlead::edge {
namespace {

struct Counted final : Link {
  Counted(Links& links, int& alive) : Link(links), alive_(alive) { ++alive_; }

  ~Counted() override { --alive_; }

  void drain(net::TimePoint) override { ++drained; }

  void force_end() override { die(); }

  void resume() override {
    ++resumed;
    if (again-- > 0) resume_later();
  }

  void wait() { resume_later(); }

  void end_twice() {
    die();
    die();
  }

  int drained = 0;
  int resumed = 0;
  int again = 0;
  int& alive_;
};

}  // namespace

TEST_CASE("link: the dead are buried once, the others stay", "[edge][link]") {
  int alive = 0;
  Links links;
  std::vector<Counted*> all;
  for (int i = 0; i < 5; ++i) {
    auto made = std::make_unique<Counted>(links, alive);
    all.push_back(made.get());
    links.adopt(std::move(made));
  }
  CHECK(links.size() == 5);
  for (std::size_t i : {2U, 0U, 4U}) all[i]->end_twice();  // from the middle, the tail and the head
  CHECK(links.size() == 2);
  CHECK(alive == 5);
  CHECK(all[2]->dead());
  links.bury();
  CHECK(alive == 2);
  int seen = 0;
  links.for_each([&](Link& link) { seen += link.dead() ? 100 : 1; });
  CHECK(seen == 2);
}

TEST_CASE("link: what asked for it is resumed once a turn, before the dead are buried",
          "[edge][link]") {
  int alive = 0;
  Links links;
  auto made = std::make_unique<Counted>(links, alive);
  auto doomed = std::make_unique<Counted>(links, alive);
  Counted& one = *made;
  Counted& other = *doomed;
  links.adopt(std::move(made));
  links.adopt(std::move(doomed));
  one.wait();
  one.wait();
  one.again = 2;
  other.wait();
  other.force_end();
  CHECK(links.bury());  // it has asked again
  CHECK(one.resumed == 1);
  CHECK(alive == 1);
  CHECK(links.bury());
  CHECK_FALSE(links.bury());
  CHECK(one.resumed == 3);
  CHECK_FALSE(links.bury());
  CHECK(one.resumed == 3);
}

TEST_CASE("link: one that asks to be resumed as it dies is not", "[edge][link]") {
  int alive = 0;
  Links links;
  auto made = std::make_unique<Counted>(links, alive);
  Counted& one = *made;
  links.adopt(std::move(made));
  one.force_end();
  one.wait();
  one.again = 1;
  CHECK_FALSE(links.bury());
  CHECK(alive == 0);
  CHECK_FALSE(links.bury());
}

TEST_CASE("link: for_each may end each link it visits", "[edge][link]") {
  int alive = 0;
  Links links;
  for (int i = 0; i < 5; ++i) links.adopt(std::make_unique<Counted>(links, alive));
  links.for_each([](Link& link) { link.force_end(); });
  CHECK(links.size() == 0);
  links.bury();
  CHECK(alive == 0);
}

TEST_CASE("link: a cursor meets each that lives once, whatever ends between its steps",
          "[edge][link]") {
  int alive = 0;
  auto links = std::make_unique<Links>();
  std::vector<Link*> all;
  for (int i = 0; i < 6; ++i) {
    auto made = std::make_unique<Counted>(*links, alive);
    all.insert(all.begin(), made.get());  // the newest comes first
    links->adopt(std::move(made));
  }
  Links::Cursor cursor(*links);
  CHECK(cursor.next() == all[0]);
  all[0]->force_end();  // the one it gave
  all[1]->force_end();  // the one it would give
  all[3]->force_end();  // one further on
  links->bury();
  links->adopt(std::make_unique<Counted>(*links, alive));  // too late
  CHECK(cursor.next() == all[2]);
  CHECK(cursor.next() == all[4]);
  all[5]->force_end();
  links->bury();
  CHECK(cursor.next() == nullptr);
  CHECK(cursor.next() == nullptr);
  Links::Cursor again(*links);
  CHECK(again.next() != nullptr);
  links.reset();
  CHECK(again.next() == nullptr);
}

TEST_CASE("link: one that dies before it is adopted is buried all the same", "[edge][link]") {
  int alive = 0;
  Links links;
  auto made = std::make_unique<Counted>(links, alive);
  made->force_end();
  CHECK(links.size() == 0);
  links.adopt(std::move(made));
  CHECK(links.size() == 0);
  links.bury();
  CHECK(alive == 0);
}

TEST_CASE("link: what lives when its worker goes is destroyed with it", "[edge][link]") {
  int alive = 0;
  {
    Links links;
    for (int i = 0; i < 3; ++i) links.adopt(std::make_unique<Counted>(links, alive));
    links.for_each([n = 0](Link& link) mutable {
      if (n++ == 1) link.force_end();
    });
  }
  CHECK(alive == 0);
}

TEST_CASE("link: a place counts one while it lives, moved or not", "[edge][link]") {
  std::atomic<std::uint32_t> worker{0};
  std::atomic<std::uint32_t> process{0};
  {
    Place first(worker, process);
    Place second = std::move(first);
    CHECK(worker == 1);
    Place third;
    third = std::move(second);
    CHECK(worker == 1);
    CHECK(process == 1);
    third = Place();
    CHECK(worker == 0);
    CHECK(process == 0);
  }
  CHECK(worker == 0);
  CHECK(process == 0);
}

}  // namespace fairlead::edge
