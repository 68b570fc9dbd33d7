// What of a pool lives on over a reload.

#include "proxy/balance/pool.h"

#include <algorithm>
#include <random>
#include <thread>
#include <type_traits>
#include <utility>

#include "tests/support/catch.h"
#include "tests/unit/balance/pools.h"

namespace fairlead::balance {
namespace {

using test::backend;
using test::kStart;
using test::pick;
using test::sessions;

using std::chrono::milliseconds;
using std::chrono::seconds;

static_assert(!std::is_copy_constructible_v<Lease> && std::is_nothrow_move_constructible_v<Lease>);
static_assert(sizeof(Lease) <= 24, "every session holds one");

}  // namespace

TEST_CASE("pool: over a reload a server that stays is the same", "[balance][pool][reload]") {
  const auto before = Pool::make(backend({1, 1, 1}));
  const Lease held = pick(*before, kStart);
  REQUIRE(held.index() == 0);
  auto from = backend({1, 1, 1, 1});
  std::reverse(from.servers.begin(), from.servers.end());
  from.servers.pop_back();  // 8080, where the session is, goes; 8083 is new
  const auto after = Pool::make(from, before.get());
  REQUIRE(after->size() == 3);
  CHECK(after->server(0).name == "10.0.0.11:8083");
  CHECK(after->servers()[1] == before->servers()[2]);
  CHECK(after->servers()[2] == before->servers()[1]);
  const Lease second = after->pick(2, {}, kStart);
  CHECK(sessions(*before, 1) == 1);
}

TEST_CASE("pool: a removed server that comes back has its sessions", "[balance][pool][reload]") {
  auto pool = Pool::make(backend({1, 1}));
  Lease held = pool->pick(1, {}, kStart);
  const PoolServer* const server = &pool->server(1);
  // Gone for several reloads; the session's lease keeps it.
  for (int i = 0; i < 3; ++i) pool = Pool::make(backend({1}), pool.get());
  pool = Pool::make(backend({1, 1}), pool.get());
  CHECK(&pool->server(1) == server);
  CHECK(sessions(*pool, 1) == 1);
  CHECK(pick(*pool, kStart).index() == 0);
  held.reset();
  CHECK(sessions(*pool, 1) == 0);
}

TEST_CASE("pool: a removed server is freed with its last session", "[balance][pool][reload]") {
  auto before = Pool::make(backend({1, 1}));
  const std::weak_ptr<PoolServer> gone = before->servers()[1];
  Lease held = before->pick(1, {}, kStart);
  const auto after = Pool::make(backend({1}), before.get());
  before.reset();
  CHECK_FALSE(gone.expired());
  held.reset();
  CHECK(gone.expired());
}

TEST_CASE("pool: a server in backoff is so after a reload, and for both",
          "[balance][pool][reload]") {
  const auto before = Pool::make(backend({1, 1}));
  before->failed(0, kStart);
  const auto after = Pool::make(backend({1, 1}), before.get());
  CHECK(pick(*after, kStart).index() == 1);
  // An exchange of the old snapshot finds it well again.
  before->succeeded(0);
  const Lease held = after->pick(1, {}, kStart);
  CHECK(pick(*after, kStart).index() == 0);
}

TEST_CASE("pool: the file's weights come with take_effect, if they changed",
          "[balance][pool][reload]") {
  const auto before = Pool::make(backend({1, 2, 3}));
  before->servers()[1]->weight = 20;  // the API's
  before->servers()[2]->weight = 30;
  const auto after = Pool::make(backend({5, 2, 4}), before.get());
  const auto weights = [&] {
    std::vector<std::uint32_t> all;
    for (const auto& server : after->servers()) all.push_back(server->weight);
    return all;
  };
  CHECK(weights() == std::vector<std::uint32_t>{1, 20, 30});  // it may yet come to nothing
  after->take_effect();
  CHECK(weights() == std::vector<std::uint32_t>{5, 20, 4});
}

TEST_CASE("pool: sids live on where both have them", "[balance][pool][reload]") {
  auto from = backend({1});
  const auto without = Pool::make(from);
  from.sticky = conf::Sticky();
  from.sticky->engine_io = true;
  const auto first = Pool::make(from, without.get());
  REQUIRE(first->sids());
  CHECK(Pool::make(from, first.get())->sids() == first->sids());
  from.sticky->engine_io = false;
  CHECK_FALSE(Pool::make(from, first.get())->sids());
}

TEST_CASE("pool: two servers of one name stay two", "[balance][pool][reload]") {
  auto from = backend({1});
  from.servers.push_back(from.servers[0]);
  const auto before = Pool::make(from);
  const auto after = Pool::make(from, before.get());
  CHECK(after->servers()[0] == before->servers()[0]);
  CHECK(after->servers()[1] == before->servers()[1]);
}

TEST_CASE("pool: old and new are used by several threads at once", "[balance][pool][reload]") {
  const auto before = Pool::make(backend({1, 1, 1}));
  const auto after = Pool::make(backend({1, 1, 1}), before.get());
  const auto work = [](Pool& pool) {
    for (int i = 0; i < 2'000; ++i) {
      const Lease held = pick(pool, kStart);
      if (i % 3 == 0) pool.failed(held.index(), kStart);
      if (i % 3 == 1) pool.succeeded(held.index());
    }
  };
  std::thread other([&] { work(*before); });
  work(*after);
  other.join();
  for (std::size_t i = 0; i < 3; ++i) CHECK(sessions(*after, i) == 0);
}

}  // namespace fairlead::balance
