#include "tls/ticket_keys.h"

#include <atomic>
#include <numeric>
#include <thread>

#include "conf/config.h"
#include "tests/support/temp_directory.h"
#include "tests/unit/tls/rig.h"

#include <fstream>

namespace fairlead::tls::rig {
namespace {

std::string key(char fill, std::size_t size) {
  return std::string(size, fill);
}

// Contexts of several nodes: one certificate, keys of each one's own.
struct Nodes {
  Nodes() {
    std::ofstream(folder.path + "/both.pem") << certificate().key << certificate().certificate;
  }

  std::shared_ptr<const ServerContext> node(const std::string& keys,
                                            const ServerContext* previous = nullptr,
                                            std::string_view made = {}) const {
    conf::ListenerTls settings;
    settings.certificates.push_back({folder.path + "/both.pem", folder.path + "/both.pem"});
    settings.ticket_keys = keys;
    auto loaded = ServerContext::from_files(settings, previous, made);
    REQUIRE(loaded.error == "");
    return loaded.context;
  }

  test::TempDirectory folder;
};

struct Greeting {
  bool resumed = false;
  std::unique_ptr<RawClient> client;  // its session is the ticket it got
};

Greeting greet(const ServerContext& node, int version, SSL_SESSION* session = nullptr) {
  RawClient::Options options;
  options.version = version;
  options.session = session;
  Greeting greeting;
  greeting.client = std::make_unique<RawClient>(options);
  Side up = server(node);
  shake(*greeting.client, up);
  REQUIRE(up.ready);
  greeting.resumed = SSL_session_reused(greeting.client->ssl()) == 1;
  return greeting;
}

bool resumes(const ServerContext& from, const ServerContext& at, int version) {
  const Greeting first = greet(from, version);
  REQUIRE(first.client->session() != nullptr);
  return greet(at, version, first.client->session()).resumed;
}

}  // namespace

TEST_CASE("ticket keys: one to 16 of 48 or 80 bytes", "[tls][tickets]") {
  struct Row {
    std::size_t size, keys, cipher;
  };

  const Row row = GENERATE(values<Row>({{0, 0, 0},
                                        {1, 0, 0},
                                        {47, 0, 0},
                                        {48, 1, 16},
                                        {49, 0, 0},
                                        {79, 0, 0},
                                        {80, 1, 32},
                                        {81, 0, 0},
                                        {96, 2, 16},
                                        {160, 2, 32},
                                        {192, 4, 16},
                                        {240, 3, 32},
                                        {48 * 16, 16, 16},
                                        {48 * 17, 0, 0},
                                        {80 * 16, 16, 32},
                                        {80 * 17, 0, 0}}));
  CAPTURE(row.size);
  const auto keys = parse_ticket_keys(key('k', row.size));
  REQUIRE(keys.size() == row.keys);
  if (!keys.empty()) CHECK(keys.back().cipher_key.size() == row.cipher);
  if (!keys.empty()) CHECK(keys.back().mac_key.size() == row.cipher);
}

TEST_CASE("ticket keys: the parts stand where nginx has them", "[tls][tickets]") {
  std::string bytes(80, '\0');
  std::iota(bytes.begin(), bytes.end(), '\0');
  const auto long_key = parse_ticket_keys(bytes).at(0);
  CHECK(long_key.name[15] == 15);
  CHECK(long_key.mac_key.front() == 16);
  CHECK(long_key.cipher_key.front() == 48);
  const auto short_key = parse_ticket_keys(bytes.substr(0, 48)).at(0);
  CHECK(short_key.cipher_key.front() == 16);
  CHECK(short_key.mac_key.front() == 32);
}

TEST_CASE("ticket keys: nodes with the same file resume each other's sessions", "[tls][tickets]") {
  const Nodes nodes;
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const std::size_t size = GENERATE(48, 80);
  CAPTURE(version, size);
  const auto a = nodes.node(key('a', size));
  const auto b = nodes.node(key('b', size));
  const auto both = nodes.node(key('b', size) + key('a', size));
  CHECK(resumes(*a, *nodes.node(key('a', size)), version));
  CHECK_FALSE(resumes(*a, *b, version));
  CHECK(resumes(*a, *both, version));
  CHECK(resumes(*both, *b, version));
  CHECK_FALSE(resumes(*both, *a, version));
  // The ticket that comes with a resumption is under the first key.
  const Greeting first = greet(*a, version);
  const Greeting again = greet(*both, version, first.client->session());
  REQUIRE(again.resumed);
  // OpenSSL tells its callback only of the ones of TLS 1.3.
  SSL_SESSION* const renewed =
      version == TLS1_3_VERSION ? again.client->session() : SSL_get_session(again.client->ssl());
  REQUIRE(renewed != nullptr);
  CHECK(greet(*b, version, renewed).resumed);
}

TEST_CASE("ticket keys: those made at the start go over to another process", "[tls][tickets]") {
  const Nodes nodes;
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const auto old = nodes.node("");
  const std::string made = old->made_ticket_keys();
  REQUIRE(made.size() == 80);
  CHECK(resumes(*old, *nodes.node("", nullptr, made), version));
  CHECK_FALSE(resumes(*old, *nodes.node(""), version));
  // A file comes before them.
  CHECK_FALSE(resumes(*old, *nodes.node(key('a', 80), nullptr, made), version));
  CHECK(resumes(*nodes.node(key('a', 80)), *nodes.node(key('a', 80), old.get()), version));
}

TEST_CASE("ticket keys: they live as long as a connection that may issue tickets",
          "[tls][tickets]") {
  const Nodes nodes;
  auto node = nodes.node(key('a', 80));
  Side up = server(*node);
  node.reset();
  RawClient down({});
  shake(down, up);
  CHECK(up.ready);
  CHECK(down.session() != nullptr);
}

TEST_CASE("ticket keys: made ones change, and those of the two before still decrypt",
          "[tls][tickets]") {
  using namespace std::chrono_literals;
  const Nodes nodes;
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const auto node = nodes.node("");
  TicketKeyRing& ring = *node->ticket_keys();
  auto now = TicketKeyRing::Clock::now();
  CHECK_FALSE(ring.rotate(now + 11h));
  CHECK_FALSE(nodes.node(key('a', 80))->ticket_keys()->rotate(now + 1000h));

  const Greeting first = greet(*node, version);
  REQUIRE(ring.rotate(now += 12h + 1s));
  CHECK_FALSE(ring.rotate(now + 11h));
  CHECK(ring.bytes().size() == 160);
  const Greeting second = greet(*node, version);
  // The context that a reload makes has the same keys, and gets the next ones too.
  const auto reloaded = nodes.node("", node.get());
  REQUIRE(reloaded->ticket_keys() == node->ticket_keys());
  REQUIRE(ring.rotate(now += 12h));
  CHECK(greet(*reloaded, version, first.client->session()).resumed);
  // Another process takes all of them over, and how old the first is.
  const auto next = TicketKeyRing::taken_over(ring.bytes(), 3h, now);
  REQUIRE(next);
  CHECK(next->bytes() == ring.bytes());
  CHECK(next->age(now) == 3h);
  CHECK_FALSE(next->rotate(now + 8h));
  CHECK(next->rotate(now + 9h));
  CHECK(next->bytes().substr(80) == ring.bytes().substr(0, 160));

  REQUIRE(ring.rotate(now += 12h));
  CHECK(ring.bytes().size() == 240);
  CHECK_FALSE(greet(*reloaded, version, first.client->session()).resumed);
  const Greeting again = greet(*reloaded, version, second.client->session());
  CHECK(again.resumed);
}

TEST_CASE("ticket keys: they change while other threads use them", "[tls][tickets]") {
  const Nodes nodes;
  const auto node = nodes.node("");
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  std::atomic<int> resumed = 0;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      const auto ring = node->ticket_keys();
      while (!stop) {
        const TicketKey key = ring->first();
        if (ring->find(key.name.data())) ++resumed;
      }
    });
  }
  auto now = TicketKeyRing::Clock::now();
  for (int i = 0; i < 200 || resumed == 0; ++i)
    REQUIRE(node->ticket_keys()->rotate(now += TicketKeyRing::kLife));
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

TEST_CASE("ticket keys: made keys of another length are refused", "[tls][tickets]") {
  const Nodes nodes;
  conf::ListenerTls settings;
  settings.certificates.push_back(
      {nodes.folder.path + "/both.pem", nodes.folder.path + "/both.pem"});
  const auto loaded = ServerContext::from_files(settings, nullptr, "short");
  CHECK_FALSE(loaded.context);
  CHECK(loaded.error.rfind("the ticket keys cannot be carried over", 0) == 0);
}

}  // namespace fairlead::tls::rig
