#include "proxy/rules/trust.h"

#include <string>

#include "proxy/rules/forward.h"
#include "tests/support/catch.h"
#include "tests/unit/rules/heads.h"

namespace fairlead::rules {
namespace {

using namespace std::string_literals;

// 10/8 and fd00::/8 are ours.
const std::vector<conf::Cidr>& ours() {
  static const std::vector<conf::Cidr> kOurs{*conf::Cidr::parse("10.0.0.0/8"),
                                             *conf::Cidr::parse("fd00::/8")};
  return kOurs;
}

std::string v2(int command, int family, const std::string& rest) {
  std::string header = "\r\n\r\n\0\r\nQUIT\n"s;
  header += static_cast<char>(0x20 | command);
  header += static_cast<char>(family);
  header += '\0';
  header += static_cast<char>(rest.size());
  return header + rest;
}

const std::string kPorts = "\x12\x34\x01\xbb"s;  // 4660 and 443
const std::string kHere = "\xc0\x00\x02\x01"s;   // 192.0.2.1
const std::string kStranger = "\xcb\x00\x71\x07"s;
const std::string kOurHop = "\x0a\x00\x00\x09"s;

std::string v6(const std::string& head, char last) {
  return head + std::string(15 - head.size(), '\0') + last;
}

struct Header {
  const char* what;
  std::string bytes;    // "" for none
  std::string ip;       // the peer's afterwards
  bool trusted;         // ... if the TCP peer is
  unsigned port = 443;  // local_port
};

const Header kHeaders[] = {
    {"none", "", "10.0.0.1", true, 8080},
    {"v1, a stranger", "PROXY TCP4 203.0.113.7 192.0.2.1 4660 443\r\n", "203.0.113.7", false},
    {"v1, a hop of ours", "PROXY TCP4 10.0.0.9 192.0.2.1 4660 443\r\n", "10.0.0.9", true},
    {"v1, a stranger of IPv6", "PROXY TCP6 2001:db8::7 fd00::1 4660 443\r\n", "2001:db8::7", false},
    {"v1, a hop of ours of IPv6", "PROXY TCP6 fd00::9 fd00::1 4660 443\r\n", "fd00::9", true},
    {"v1, a stranger of IPv4 in IPv6", "PROXY TCP6 ::ffff:203.0.113.7 fd00::1 4660 443\r\n",
     "203.0.113.7", false},
    {"v1, UNKNOWN", "PROXY UNKNOWN\r\n", "10.0.0.1", false, 8080},
    {"v1, UNKNOWN with addresses", "PROXY UNKNOWN 10.0.0.9 10.0.0.9 1 2\r\n", "10.0.0.1", false,
     8080},
    {"v2, a stranger", v2(1, 0x11, kStranger + kHere + kPorts), "203.0.113.7", false},
    {"v2, a hop of ours", v2(1, 0x11, kOurHop + kHere + kPorts), "10.0.0.9", true},
    {"v2, a stranger of IPv6", v2(1, 0x21, v6("\x20\x01\x0d\xb8", 7) + v6("\xfd", 1) + kPorts),
     "2001:db8::7", false},
    {"v2, a hop of ours of IPv6", v2(1, 0x21, v6("\xfd", 9) + v6("\xfd", 1) + kPorts), "fd00::9",
     true},
    {"v2, LOCAL", v2(0, 0x00, ""), "10.0.0.1", true, 8080},
    {"v2, LOCAL with addresses", v2(0, 0x11, kStranger + kHere + kPorts), "10.0.0.1", true, 8080},
    {"v2, UNSPEC", v2(1, 0x00, ""), "10.0.0.1", false, 8080},
    {"v2, UDP", v2(1, 0x12, kOurHop + kHere + kPorts), "10.0.0.1", false, 8080},
    {"v2, a unix socket", v2(1, 0x31, std::string(216, 'u')), "10.0.0.1", false, 8080},
};

Peer after(const Header& header, bool trusted) {
  Peer peer;
  peer.ip = *conf::Ip::parse("10.0.0.1");
  peer.trusted = trusted;
  peer.local_port = 8080;
  if (header.bytes.empty()) return peer;
  const wire::ProxyHeader parsed = wire::parse_proxy_header(header.bytes);
  REQUIRE(parsed.state == wire::ProxyHeader::State::complete);
  REQUIRE(parsed.size == header.bytes.size());
  take_proxy_header(parsed, ours(), peer);
  return peer;
}

}  // namespace

TEST_CASE("trust: a PROXY header decides it anew", "[rules][trust]") {
  for (const auto& header : kHeaders) {
    CAPTURE(header.what);
    const Peer peer = after(header, true);
    CHECK(peer.ip.text() == header.ip);
    CHECK(peer.trusted == header.trusted);
    CHECK(peer.local_port == header.port);
  }
}

// Every header, with every field by which a client could claim to be somebody else.
TEST_CASE("trust: what a client claims behind a PROXY header is not believed", "[rules][trust]") {
  struct Claim {
    const char* field;
    const char* ip;      // the client's, where the claim is believed; "" where nobody believes it
    const char* passes;  // what the backend sees where the peer is trusted; "" for nothing
  };

  const Claim claims[] = {
      {"X-Forwarded-For: 198.51.100.1", "198.51.100.1", ""},
      {"X-Forwarded-Proto: https", "", "X-Forwarded-Proto: https\r\n"},
      {"X-Forwarded-Host: evil.org", "", "X-Forwarded-Host: evil.org\r\n"},
      {"X-Forwarded-Port: 1", "", "X-Forwarded-Port: 1\r\n"},
      {"X-Forwarded-User: root", "", "X-Forwarded-User: root\r\n"},
      {"Forwarded: for=198.51.100.1", "", "Forwarded: for=198.51.100.1\r\n"},
      {"X-Real-IP: 198.51.100.1", "", ""},
      {"X_Forwarded_For: 198.51.100.1", "", ""},
      {"Proxy: evil.org", "", ""},
  };
  const conf::Route route;
  for (const auto& header : kHeaders) {
    for (const auto& claim : claims) {
      CAPTURE(header.what, claim.field);
      const Peer peer = after(header, true);
      const Request request(std::string("GET / HTTP/1.1\nHost: a\n") + claim.field);
      const Client client = find_client(request.head, peer, ours());
      const bool believed = header.trusted && *claim.ip != 0;
      CHECK(client.ip.text() == (believed ? claim.ip : header.ip));
      CHECK(client.secure == (header.trusted && claim.field == "X-Forwarded-Proto: https"s));
      std::string out;
      write_backend_request({request.head, peer, client, route, "id"}, out);
      if (*claim.passes != 0) CHECK((out.find(claim.passes) != out.npos) == header.trusted);
      CHECK(out.find("X-Real-IP: " + client.ip.text() + "\r\n") != out.npos);
      const std::string list = believed ? claim.ip + ", "s + header.ip : header.ip;
      CHECK(out.find("X-Forwarded-For: " + list + "\r\n") != out.npos);
    }
  }
}

TEST_CASE("trust: which names only trusted peers may say", "[rules][trust]") {
  struct Row {
    const char* name;
    bool stranger;
    bool trusted;
  };

  const Row rows[] = {
      {"X-Forwarded-For", false, true},  {"x-forwarded-ssl", false, true},
      {"X-Forwarded-", false, true},     {"X-Forwarded", false, true},
      {"Forwarded", false, true},        {"X-Real-IP", false, true},
      {"X_Forwarded_Ssl", false, false}, {"X-Forwarded.Ssl", false, false},
      {"X_Real_IP", false, false},       {"Proxy", false, false},
      {"pRoXy", false, false},           {"Fairlead-Reattached", false, false},
      {"fairlead_key", false, false},    {"Proxy-Thing", true, true},
      {"X-Forward", true, true},         {"X-Forwardedness", true, true},
      {"XForwarded-For", true, true},    {"X-Real-IP-2", true, true},
      {"Fairlead", true, true},          {"My_Name", true, true},
  };
  Peer peer;
  for (const auto& row : rows) {
    CAPTURE(row.name);
    peer.trusted = false;
    CHECK(may_say(peer, row.name) == row.stranger);
    peer.trusted = true;
    CHECK(may_say(peer, row.name) == row.trusted);
  }
}

}  // namespace fairlead::rules
