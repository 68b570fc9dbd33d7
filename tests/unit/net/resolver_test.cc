#include "proxy/net/resolver.h"

#include <poll.h>
#include <sys/socket.h>

#include <map>
#include <set>

#include "proxy/net/socket.h"
#include "tests/support/catch.h"

namespace fairlead::net {
namespace {

constexpr unsigned kA = 1;
constexpr unsigned kAaaa = 28;
constexpr unsigned kSrv = 33;
constexpr unsigned char kServfail = 2;
constexpr unsigned char kRefused = 5;

std::string u16(unsigned value) {
  return {static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)};
}

std::string name_bytes(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const auto label = name.substr(0, name.find('.'));
    out += static_cast<char>(label.size());
    out += label;
    name.remove_prefix(std::min(name.size(), label.size() + 1));
  }
  return out + '\0';
}

std::string record(const char* text) {
  const auto ip = *conf::Ip::parse(text);
  const auto from = std::string_view(text).find(':') == std::string_view::npos ? 12 : 0;
  return {ip.bytes.begin() + from, ip.bytes.end()};
}

std::string service(unsigned port, std::string_view target) {
  return u16(0) + u16(1) + u16(port) + name_bytes(target);
}

// A name server on loopback that answers when it is asked to.
class NameServer {
 public:
  NameServer() : fd_(socket(AF_INET, SOCK_DGRAM, 0)) {
    SocketAddress raw{};
    raw.v4.sin_family = AF_INET;
    raw.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof raw.v4;
    REQUIRE(bind(fd_.get(), &raw.any, size) == 0);
    REQUIRE(getsockname(fd_.get(), &raw.any, &size) == 0);
    settings.resolver = {
        *conf::Address::parse("127.0.0.1:" + std::to_string(ntohs(raw.v4.sin_port)))};
  }

  conf::Dns settings;
  std::map<std::pair<std::string, unsigned>, std::vector<std::string>> records;
  std::map<unsigned, unsigned char> failing;  // types, with the code
  std::vector<std::string> asked;             // "28 app.test"

  // Asks the resolver, and answers until it has its answer.
  Resolver::Answer ask(const std::string& name, bool is_service = false) {
    Loop loop;
    Resolver resolver(loop, settings);
    std::optional<Resolver::Answer> got;
    resolver.ask(name, is_service, [&](Resolver::Answer answer) { got = std::move(answer); });
    while (!got) {
      answer_one();
      loop.turn(false);
    }
    return *got;
  }

 private:
  void answer_one() {
    pollfd ready{fd_.get(), POLLIN, 0};
    if (poll(&ready, 1, 1) <= 0) return;
    std::array<char, 512> bytes{};
    SocketAddress from{};
    socklen_t size = sizeof from;
    const auto n = recvfrom(fd_.get(), bytes.data(), bytes.size(), 0, &from.any, &size);
    REQUIRE(n > 12);
    std::string name;
    std::size_t at = 12;
    while (bytes.at(at) != 0) {
      const auto length = static_cast<std::size_t>(bytes.at(at));
      name += (name.empty() ? "" : ".") + std::string(bytes.data() + at + 1, length);
      at += 1 + length;
    }
    const auto type = static_cast<unsigned>(static_cast<unsigned char>(bytes.at(at + 2)));
    asked.push_back(std::to_string(type) + " " + name);
    const auto code = failing.count(type) != 0 ? failing.at(type) : 0U;
    const auto found = code == 0 ? records[{name, type}] : std::vector<std::string>{};
    std::string reply(bytes.data(), 2);
    reply +=
        u16(0x8180U | code) + u16(1) + u16(static_cast<unsigned>(found.size())) + u16(0) + u16(0);
    reply.append(bytes.data() + 12, at + 5 - 12);
    for (const auto& data : found) {
      reply += u16(0xc00c) + u16(type) + u16(1) + u16(0) + u16(7);
      reply += u16(static_cast<unsigned>(data.size())) + data;
    }
    REQUIRE(sendto(fd_.get(), reply.data(), reply.size(), 0, &from.any, size) > 0);
  }

  Fd fd_;
};

std::string places(const Resolver::Answer& answer) {
  std::set<std::string> sorted;
  for (const auto& place : answer.places) sorted.insert(place.ip.text());
  std::string out;
  for (const auto& one : sorted) out += one + " ";
  return out;
}

}  // namespace

TEST_CASE("resolver: what no server can be at is left out of an answer", "[net][dns]") {
  NameServer server;
  server.records[{"app.test", kA}] = {record("127.0.0.5"), record("169.254.169.254"),
                                      record("240.0.0.1"), record("255.255.255.255"),
                                      record("0.1.2.3"),   record("224.0.0.1"),
                                      record("10.0.0.1")};
  CHECK(places(server.ask("app.test")) == "10.0.0.1 ");
  server.settings.allow_loopback = true;
  CHECK(places(server.ask("app.test")) == "10.0.0.1 127.0.0.5 ");
  server.settings.allow_loopback = false;
  server.records[{"app.test", kA}] = {record("127.0.0.5")};
  const auto none = server.ask("app.test");
  CHECK(none.kind == Resolver::Answer::Kind::absent);
  CHECK(none.why.find("127.0.0.5") != std::string::npos);
}

TEST_CASE("resolver: a name server cannot lead a service to this machine", "[net][dns]") {
  NameServer server;
  server.records[{"_ws._tcp.test", kSrv}] = {service(80, "localhost"), service(81, "b.test")};
  server.records[{"b.test", kA}] = {record("10.0.0.2")};
  const auto answer = server.ask("_ws._tcp.test", true);
  CHECK(places(answer) == "10.0.0.2 ");
  CHECK(server.ask("localhost").places.front().ip.is_loopback());  // the file says so
}

TEST_CASE("resolver: a family that fails is told apart from one that answered", "[net][dns]") {
  const auto code = GENERATE(kServfail, kRefused);
  NameServer server;
  server.settings.timeout = conf::Millis{100};
  server.records[{"app.test", kA}] = {record("10.0.0.1")};
  server.failing[kAaaa] = code;
  const auto answer = server.ask("app.test");
  CHECK(answer.kind == Resolver::Answer::Kind::found);
  CHECK(places(answer) == "10.0.0.1 ");
  CHECK_FALSE(answer.unanswered.ipv4);
  // A machine without IPv6 does not ask for it.
  const bool six = Families::of_this_machine().ipv6 || Families::of_this_machine().ipv6_loopback;
  CHECK(answer.unanswered.ipv6 == six);
}

TEST_CASE("resolver: one family alone is asked for where the file says so", "[net][dns]") {
  NameServer server;
  server.records[{"app.test", kA}] = {record("10.0.0.1")};
  server.records[{"app.test", kAaaa}] = {record("fd00::1")};
  server.settings.family = conf::Dns::Family::ipv4;
  server.failing[kAaaa] = kServfail;
  const auto four = server.ask("app.test");
  CHECK(places(four) == "10.0.0.1 ");
  CHECK_FALSE(four.unanswered.any());
  CHECK(server.asked == std::vector<std::string>{"1 app.test"});
  server.failing.clear();
  server.asked.clear();
  server.settings.family = conf::Dns::Family::ipv6;
  static_cast<void>(server.ask("app.test"));
  CHECK(server.asked == std::vector<std::string>{"28 app.test"});
}

TEST_CASE("resolver: a name that ends with a dot is asked for as it is", "[net][dns]") {
  NameServer server;
  server.settings.family = conf::Dns::Family::ipv4;
  server.records[{"app.test", kA}] = {record("10.0.0.1")};
  CHECK(places(server.ask("app.test.")) == "10.0.0.1 ");
  CHECK(server.asked == std::vector<std::string>{"1 app.test"});
  server.records[{"app", kA}] = {record("10.0.0.2")};
  server.asked.clear();
  CHECK(places(server.ask("app.")) == "10.0.0.2 ");
  CHECK(server.asked == std::vector<std::string>{"1 app"});
  CHECK(server.ask("localhost.").places.front().ip.is_loopback());
}

}  // namespace fairlead::net
