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

TEST_CASE("pool: servers have the names of their addresses", "[balance][pool]") {
  const auto pool = Pool::make(backend({1, 2}));
  CHECK(pool->name() == "chat");
  REQUIRE(pool->size() == 2);
  CHECK(pool->server(0).name == "10.0.0.11:8080");
  CHECK(pool->server(1).name == "10.0.0.11:8081");
  CHECK(pool->server(1).weight == 2);
  CHECK_FALSE(pool->sticky());
}

TEST_CASE("lease: counts from pick to its end, however it moves", "[balance][pool]") {
  const auto pool = Pool::make(backend({1}));
  CHECK_FALSE(Lease());
  {
    Lease first = pick(*pool, kStart);
    REQUIRE(first);
    CHECK(first.index() == 0);
    CHECK(&first.server() == &pool->server(0));
    CHECK(&first.pool() == pool.get());
    CHECK(sessions(*pool, 0) == 1);

    Lease second = std::move(first);
    CHECK_FALSE(first);
    CHECK(second);
    CHECK(sessions(*pool, 0) == 1);

    Lease third = pick(*pool, kStart);
    CHECK(sessions(*pool, 0) == 2);
    third = std::move(second);
    CHECK(sessions(*pool, 0) == 1);
    CHECK_FALSE(second);

    Lease& same = third;
    third = std::move(same);
    CHECK(third);
    CHECK(sessions(*pool, 0) == 1);

    third.reset();
    third.reset();
    CHECK_FALSE(third);
    CHECK(sessions(*pool, 0) == 0);

    third = Lease(pool, 0);
    CHECK(sessions(*pool, 0) == 1);
    third = Lease();
    CHECK(sessions(*pool, 0) == 0);
    third = pick(*pool, kStart);
    CHECK(sessions(*pool, 0) == 1);
  }
  CHECK(sessions(*pool, 0) == 0);
}

TEST_CASE("lease: keeps its pool alive", "[balance][pool]") {
  auto pool = Pool::make(backend({1}));
  const std::weak_ptr<Pool> watch = pool;
  {
    const Lease lease = pick(*pool, kStart);
    pool.reset();
    CHECK_FALSE(watch.expired());
    CHECK(lease.server().name == "10.0.0.11:8080");
  }
  CHECK(watch.expired());
}

TEST_CASE("pool: picks that are held spread over the servers", "[balance][pool]") {
  for (const auto balance :
       {conf::Backend::Balance::least_connections, conf::Backend::Balance::round_robin,
        conf::Backend::Balance::hash}) {  // the last without a key
    const auto pool = Pool::make(backend({1, 1, 2}, balance));
    std::vector<Lease> held;
    for (int i = 0; i < 40; ++i) held.push_back(pick(*pool, kStart));
    CHECK(sessions(*pool, 0) == 10);
    CHECK(sessions(*pool, 1) == 10);
    CHECK(sessions(*pool, 2) == 20);
    held.clear();
    for (std::size_t i = 0; i < 3; ++i) CHECK(sessions(*pool, i) == 0);
  }
}

TEST_CASE("pool: what was tried is not picked again, until nothing is left", "[balance][pool]") {
  const auto pool = Pool::make(backend({1, 1, 1}));
  std::vector<std::size_t> tried;
  for (int i = 0; i < 3; ++i) {
    const auto lease = pool->pick(kNoServer, tried, kStart);
    REQUIRE(lease);
    CHECK(std::find(tried.begin(), tried.end(), lease.index()) == tried.end());
    tried.push_back(lease.index());
  }
  CHECK_FALSE(pool->pick(kNoServer, tried, kStart));
  CHECK_FALSE(pool->pick(0, tried, kStart));
  CHECK_FALSE(Pool::make(backend({}))->pick(kNoServer, {}, kStart));
}

TEST_CASE("pool: the sticky server is taken while it may be", "[balance][pool]") {
  const auto pool = Pool::make(backend({1, 1}));
  std::vector<Lease> held;
  for (int i = 0; i < 10; ++i) {
    held.push_back(pool->pick(1, {}, kStart));
    CHECK(held.back().index() == 1);
  }
  SECTION("tried: another") {
    CHECK(pool->pick(1, {1}, kStart).index() == 0);
  }
  SECTION("in backoff: another, and later it again") {
    pool->failed(1, kStart);
    CHECK(pool->pick(1, {}, kStart).index() == 0);
    CHECK(pool->pick(1, {}, kStart + seconds(2)).index() == 1);
  }
  SECTION("ejected, and the other was tried: it all the same") {
    pool->failed(1, kStart);
    CHECK(pool->pick(1, {0}, kStart).index() == 1);
  }
  SECTION("out of range: as without") {
    CHECK(pool->pick(2, {}, kStart).index() == 0);
  }
}

TEST_CASE("pool: a server that failed is avoided for a second or so", "[balance][pool]") {
  const auto pool = Pool::make(backend({1000, 1}));
  pool->failed(0, kStart);
  for (const int ms : {0, 100, 799}) {
    CAPTURE(ms);
    CHECK(pick(*pool, kStart + milliseconds(ms)).index() == 1);
  }
  CHECK(pick(*pool, kStart + milliseconds(1200)).index() == 0);
  // Failing again it is avoided for twice as long.
  pool->failed(0, kStart + milliseconds(1200));
  CHECK(pick(*pool, kStart + milliseconds(1200 + 1599)).index() == 1);
  CHECK(pick(*pool, kStart + milliseconds(1200 + 2400)).index() == 0);
  // A success forgets.
  pool->failed(0, kStart + milliseconds(3600));
  CHECK(pick(*pool, kStart + milliseconds(3600)).index() == 1);
  pool->succeeded(0);
  CHECK(pick(*pool, kStart + milliseconds(3600)).index() == 0);
}

TEST_CASE("pool: when only ejected ones are left, the first to come back is tried",
          "[balance][pool]") {
  const auto pool = Pool::make(backend({1, 1, 1, 1}));
  pool->failed(2, kStart);
  pool->failed(0, kStart + milliseconds(500));
  pool->server(1).up = false;
  pool->server(3).admin = AdminState::drain;
  const auto now = kStart + milliseconds(600);
  // Server 2 is free at 1200 ms at the latest, server 0 at 1300 ms at the earliest.
  CHECK(pick(*pool, now).index() == 2);
  CHECK(pick(*pool, now).index() == 2);
  CHECK(pool->pick(kNoServer, {2}, now).index() == 0);
  CHECK_FALSE(pool->pick(kNoServer, {0, 2}, now));
  // One that works again comes before all of them.
  pool->succeeded(0);
  CHECK(pick(*pool, now).index() == 0);
}

TEST_CASE("pool: jitter differs between servers", "[balance][pool]") {
  // Many servers that fail at once do not come back at once: some are back at 1 s, some are not.
  conf::Backend from = backend({});
  for (std::uint16_t i = 0; i < 64; ++i) {
    conf::BackendServer server;
    server.address.port = static_cast<std::uint16_t>(1000 + i);
    from.servers.push_back(server);
  }
  const auto pool = Pool::make(from);
  for (std::size_t i = 0; i < pool->size(); ++i) pool->failed(i, kStart);
  std::vector<Lease> held;
  for (std::size_t i = 0; i < pool->size(); ++i) held.push_back(pick(*pool, kStart + seconds(1)));
  std::size_t back = 0;
  for (std::size_t i = 0; i < pool->size(); ++i) back += sessions(*pool, i) > 0 ? 1 : 0;
  CHECK(back > 0);
  CHECK(back < pool->size());
}

TEST_CASE("pool: its sticky names are those of its servers", "[balance][pool]") {
  auto from = backend({1, 1});
  from.sticky = conf::Sticky();
  from.sticky->secret = "secret";
  const auto pool = Pool::make(from);
  REQUIRE(pool->sticky());
  const Sticky same(*from.sticky, "chat", {"10.0.0.11:8080", "10.0.0.11:8081"});
  CHECK(pool->sticky()->set_cookie(1, true) == same.set_cookie(1, true));
}

TEST_CASE("pool: with balance = hash the key decides, on every node alike", "[balance][pool]") {
  auto from = backend({1, 1, 1}, conf::Backend::Balance::hash);
  from.hash_key = {conf::HashKey::Kind::path, ""};
  const auto one = Pool::make(from);
  std::reverse(from.servers.begin(), from.servers.end());
  const auto other = Pool::make(from);
  std::vector<int> counts(3);
  for (int i = 0; i < 300; ++i) {
    wire::RequestHead head;
    const std::string path = "/room/" + std::to_string(i);
    head.path = path;
    const auto key = one->key_of(head, nullptr);
    REQUIRE(key);
    REQUIRE(other->key_of(head, nullptr) == key);
    const auto first = one->pick({kNoServer, key}, {}, kStart);
    const auto second = other->pick({kNoServer, key}, {}, kStart);
    REQUIRE(first.server().name == second.server().name);
    ++counts[first.index()];
    // What it is bound to comes first; what was tried is passed over.
    CHECK(one->pick({2, key}, {}, kStart).index() == 2);
    CHECK(one->pick({kNoServer, key}, {first.index()}, kStart).index() != first.index());
  }
  for (const int count : counts) CHECK(count > 60);
  CHECK_FALSE(Pool::make(backend({1}))->key_of({}, nullptr));
}

TEST_CASE("pool: servers are found by their ids", "[balance][pool]") {
  const auto pool = Pool::make(backend({1, 1}));
  CHECK(pool->index_of(pool->server(0).id) == 0);
  CHECK(pool->index_of(pool->server(1).id) == 1);
  CHECK(pool->index_of(0) == kNoServer);
}

TEST_CASE("pool: a server that is not ready or not up is never picked", "[balance][pool]") {
  const auto pool = Pool::make(backend({1, 1}));
  auto& first = *pool->servers()[0];
  for (const auto state : {AdminState::drain, AdminState::down}) {
    first.admin = state;
    for (int i = 0; i < 4; ++i) CHECK(pick(*pool, kStart).index() == 1);
    CHECK(pool->pick(0, {}, kStart).index() == 1);  // its cookie does not bind
    CHECK_FALSE(pool->pick(0, {1}, kStart));        // nor as a last resort
  }
  first.admin = AdminState::ready;
  first.up = false;
  CHECK(pool->pick(0, {}, kStart).index() == 1);
  first.up = true;
  CHECK(pool->pick(0, {}, kStart).index() == 0);
}

TEST_CASE("pool: a server that sheds is picked when there is no other", "[balance][pool]") {
  const auto policy =
      GENERATE(conf::Backend::Balance::least_connections, conf::Backend::Balance::round_robin,
               conf::Backend::Balance::random_two);
  const auto pool = Pool::make(backend({1, 1, 1}, policy));
  pool->servers()[0]->shedding = true;
  pool->servers()[1]->sessions = 100;
  pool->servers()[2]->sessions = 100;
  for (int i = 0; i < 20; ++i) CHECK(pick(*pool, kStart).index() != 0);
  CHECK(pool->pick(kNoServer, {1, 2}, kStart).index() == 0);
  CHECK(pool->pick(0, {}, kStart).index() == 0);  // who is bound by a sid comes back to it
}

TEST_CASE("pool: a server that failed is trusted with one session to try it", "[balance][pool]") {
  const auto pool = Pool::make(backend({1}));
  CHECK(pool->trusts(0, kStart) == UINT32_MAX);
  pool->failed(0, kStart);
  CHECK(pool->trusts(0, kStart) == 0);
  CHECK(pool->trusts(0, kStart + seconds(60)) == 1);
  pool->succeeded(0);
  CHECK(pool->trusts(0, kStart) == UINT32_MAX);
}

TEST_CASE("pool: several threads never pick the same least one", "[balance][pool]") {
  constexpr std::uint32_t kEach = 2'000;
  const auto pool = Pool::make(backend({1, 1, 1, 1}));
  std::vector<std::vector<Lease>> held(4);
  const auto work = [&](std::size_t at) {
    std::mt19937 random(static_cast<unsigned>(at));
    for (std::uint32_t i = 0; i < kEach; ++i) {
      held[at].push_back(pick(*pool, kStart));
      if (random() % 50 == 0) {
        pool->succeeded(held[at].back().index());
      }
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < 4; ++i) threads.emplace_back(work, i);
  for (auto& thread : threads) thread.join();
  for (std::size_t i = 0; i < 4; ++i) CHECK(sessions(*pool, i) == kEach);
  held.clear();
  for (std::size_t i = 0; i < 4; ++i) CHECK(sessions(*pool, i) == 0);
}

}  // namespace fairlead::balance
