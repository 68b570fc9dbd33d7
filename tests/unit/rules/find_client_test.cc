#include <string>

#include "proxy/rules/forward.h"
#include "tests/support/catch.h"
#include "tests/unit/rules/heads.h"

namespace fairlead::rules {
namespace {

conf::Ip ip(const char* text) {
  const auto parsed = conf::Ip::parse(text);
  INFO(text);
  REQUIRE(parsed);
  return *parsed;
}

// 10/8 and fd00::/8 are ours; the peer is 10.0.0.1.
const std::vector<conf::Cidr>& ours() {
  static const std::vector<conf::Cidr> kOurs{*conf::Cidr::parse("10.0.0.0/8"),
                                             *conf::Cidr::parse("fd00::/8")};
  return kOurs;
}

Peer peer(bool trusted) {
  Peer result;
  result.ip = ip("10.0.0.1");
  result.trusted = trusted;
  return result;
}

Client client_of(const std::string& fields, const Peer& from = peer(true)) {
  const Request request("GET / HTTP/1.1\nHost: a" + (fields.empty() ? "" : "\n" + fields));
  return find_client(request.head, from, ours());
}

}  // namespace

TEST_CASE("client: X-Forwarded-For of a trusted peer is walked from the right", "[rules][client]") {
  struct Row {
    const char* fields;
    const char* want;
    const char* why;
  };

  const Row rows[] = {
      {"", "10.0.0.1", "no field: the peer"},
      {"X-Forwarded-For:", "10.0.0.1", "an empty field"},
      {"X-Forwarded-For: ,, ,", "10.0.0.1", "nothing but commas"},
      {"X-Forwarded-For: 192.0.2.1", "192.0.2.1", "one"},
      {"x-forwarded-FOR: 192.0.2.1", "192.0.2.1", "no case"},
      {"X-Forwarded-For: 192.0.2.1, 192.0.2.2", "192.0.2.2", "the left one may be made up"},
      {"X-Forwarded-For: 192.0.2.1, 10.0.0.2", "192.0.2.1", "our own hop is skipped"},
      {"X-Forwarded-For: 192.0.2.1,10.0.0.2,10.0.0.3,fd00::1", "192.0.2.1", "several of ours"},
      {"X-Forwarded-For: 192.0.2.1\nX-Forwarded-For: 10.0.0.2", "192.0.2.1", "over two fields"},
      {"X-Forwarded-For: 192.0.2.1\nX-Forwarded-For: 192.0.2.2", "192.0.2.2",
       "the last field's last"},
      {"X-Forwarded-For: 192.0.2.1\nA: 192.0.2.3\nX-Forwarded-For:", "192.0.2.1", "an empty last"},
      {"X-Forwarded-For: 10.0.0.9, 10.0.0.8", "10.0.0.9", "all are ours: the left-most"},
      {"X-Forwarded-For: 192.0.2.1, unknown", "10.0.0.1", "no address: the peer stays"},
      {"X-Forwarded-For: 192.0.2.1, _hidden, 10.0.0.2", "10.0.0.2",
       "no address: the last good one"},
      {"X-Forwarded-For: 192.0.2.1, , 10.0.0.2", "192.0.2.1", "an empty item is nothing"},
      {"X-Forwarded-For: \t192.0.2.1 \t", "192.0.2.1", "white space"},
      {"X-Forwarded-For: 192.0.2.1:5678", "192.0.2.1", "with a port"},
      {"X-Forwarded-For: 192.0.2.1, 10.0.0.2:5678", "192.0.2.1", "ours with a port"},
      {"X-Forwarded-For: 2001:db8::1", "2001:db8::1", "IPv6"},
      {"X-Forwarded-For: [2001:db8::1]", "2001:db8::1", "IPv6 in brackets"},
      {"X-Forwarded-For: [2001:db8::1]:443", "2001:db8::1", "IPv6 with a port"},
      {"X-Forwarded-For: ::ffff:192.0.2.1", "192.0.2.1", "IPv4 in IPv6"},
      {"X-Forwarded-For: 192.0.2.1, ::ffff:10.0.0.2", "192.0.2.1", "ours as IPv4 in IPv6"},
      {"X-Forwarded-For: 192.0.2.1:", "10.0.0.1", "an empty port"},
      {"X-Forwarded-For: 192.0.2.1:http", "10.0.0.1", "a port that is none"},
      {"X-Forwarded-For: 192.0.2.1:123456", "10.0.0.1", "a port too long"},
      {"X-Forwarded-For: [2001:db8::1", "10.0.0.1", "a bracket not closed"},
      {"X-Forwarded-For: [2001:db8::1]443", "10.0.0.1", "no colon after the bracket"},
      {"X-Forwarded-For: 192.0.2", "10.0.0.1", "three numbers"},
      {"X-Forwarded-For: 192.0.2.1 192.0.2.2", "10.0.0.1", "no comma"},
      {"X-Forwarded-For: \"192.0.2.1\"", "10.0.0.1", "quoted"},
      {"X-Real-IP: 192.0.2.1", "10.0.0.1", "X-Real-IP is not asked"},
      {"Forwarded: for=192.0.2.1", "10.0.0.1", "nor is Forwarded"},
      {"X_Forwarded_For: 192.0.2.1", "10.0.0.1", "nor what looks alike"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.fields, row.why);
    CHECK(client_of(row.fields).ip.text() == ip(row.want).text());
    // From anybody else it is not even read.
    CHECK(client_of(row.fields, peer(false)).ip == ip("10.0.0.1"));
  }
}

TEST_CASE("client: 32 entries of X-Forwarded-For are looked at, not 33", "[rules][client]") {
  for (const unsigned hops : {30U, 31U, 32U, 500U}) {
    CAPTURE(hops);
    std::string fields = "X-Forwarded-For: 192.0.2.1";
    for (unsigned i = 0; i < hops; ++i) fields += ", 10.1.1." + std::to_string(i % 250);
    // The client stands behind `hops` of ours.
    const bool found = hops < 32;
    CHECK((client_of(fields).ip == ip("192.0.2.1")) == found);
    if (!found) CHECK(client_of(fields).ip.text().starts_with("10.1.1."));
  }
}

TEST_CASE("client: a peer on a unix socket may be trusted too", "[rules][client]") {
  Peer from;
  from.unix_socket = true;
  from.trusted = true;
  CHECK(client_of("X-Forwarded-For: 192.0.2.1, 10.0.0.2", from).ip == ip("192.0.2.1"));
  CHECK(client_of("", from).ip == from.ip);
}

TEST_CASE("client: X-Forwarded-Proto of a trusted peer says what is secure", "[rules][client]") {
  struct Row {
    const char* fields;
    bool tls_here;
    bool want;
    const char* why;
  };

  const Row rows[] = {
      {"", false, false, "plain"},
      {"", true, true, "TLS ended here"},
      {"X-Forwarded-Proto: https", false, true, "TLS ended in front of us"},
      {"X-Forwarded-Proto: HTTPS", false, true, "no case"},
      {"X-Forwarded-Proto: wss", false, true, "as some write it"},
      {"X-Forwarded-Proto: http", true, false, "plain in front, TLS between us"},
      {"X-Forwarded-Proto: ws", true, false, "as some write it"},
      {"X-Forwarded-Proto: https, http", false, true, "the first hop is the client's"},
      {"X-Forwarded-Proto: http ,https", true, false, "the same, plain"},
      {"X-Forwarded-Proto: httpsx", false, false, "no word we know"},
      {"X-Forwarded-Proto: gopher", true, true, "no word we know: the connection's own"},
      {"X-Forwarded-Proto:", true, true, "empty: the connection's own"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.fields, row.why);
    Peer from = peer(true);
    from.secure = row.tls_here;
    CHECK(client_of(row.fields, from).secure == row.want);
    from.trusted = false;
    CHECK(client_of(row.fields, from).secure == row.tls_here);
  }
}

TEST_CASE("client: X-Forwarded-Host and -Port of a trusted peer", "[rules][client]") {
  struct Row {
    const char* fields;
    const char* host;
    unsigned port;
    const char* why;
  };

  const Row rows[] = {
      {"", "a", 0, "the request's own"},
      {"X-Forwarded-Host: b.com", "b.com", 0, "one"},
      {"X-Forwarded-Host: b.com:81", "b.com:81", 0, "with its port"},
      {"X-Forwarded-Host: [2001:db8::1]:81", "[2001:db8::1]:81", 0, "IPv6"},
      {"X-Forwarded-Host: evil.org, b.com", "b.com", 0, "the last, which the proxy appended"},
      {"X-Forwarded-Host: evil.org\nX-Forwarded-Host: b.com", "b.com", 0, "over two fields"},
      {"X-Forwarded-Host: b.com, \t,", "b.com", 0, "empty items are nothing"},
      {"X-Forwarded-Host: b.com, c d", "a", 0, "no host: the request's own"},
      {"X-Forwarded-Host: b.com/x", "a", 0, "no host"},
      {"X_Forwarded_Host: b.com", "a", 0, "what looks alike is not asked"},
      {"X-Forwarded-Port: 8443", "a", 8443, "a port"},
      {"X-Forwarded-Port: 8443, 80", "a", 8443, "the first, the client's own hop"},
      {"X-Forwarded-Port: 99999", "a", 0, "no port"},
      {"X-Forwarded-Port: 0", "a", 0, "no port"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.fields, row.why);
    const std::string lines =
        std::string("GET / HTTP/1.1\nHost: a") + (*row.fields == 0 ? "" : "\n") + row.fields;
    const Request request(lines);
    const Client client = find_client(request.head, peer(true), ours());
    CHECK(client.host == row.host);
    CHECK(client.port == row.port);
    const Client stranger = find_client(request.head, peer(false), ours());
    CHECK(stranger.host == "a");
    CHECK(stranger.port == 0);
  }
}

TEST_CASE("request id: one of 1 to 128 visible characters is kept", "[rules][client]") {
  const auto kept = [](const std::string& fields) {
    const Request request("GET / HTTP/1.1\nHost: a" + (fields.empty() ? "" : "\n" + fields));
    return std::string(kept_request_id(request.head));
  };
  const std::string longest(128, 'x');
  CHECK(kept("X-Request-Id: a") == "a");
  CHECK(kept("x-request-id: Root=1-67891233-abcdef;~!") == "Root=1-67891233-abcdef;~!");
  CHECK(kept("X-Request-Id: " + longest.substr(1)) == longest.substr(1));
  CHECK(kept("X-Request-Id: " + longest) == longest);
  CHECK(kept("X-Request-Id: " + longest + "x").empty());
  CHECK(kept("").empty());
  CHECK(kept("X-Request-Id:").empty());
  CHECK(kept("X-Request-Id: a b").empty());
  CHECK(kept("X-Request-Id: a\tb").empty());
  CHECK(kept("X-Request-Id: caf\xc3\xa9").empty());
  CHECK(kept("X-Request-Id: a\nX-Request-Id: b").empty());
}

TEST_CASE("request id: a new one is the 32 hexadecimal digits of its numbers", "[rules][client]") {
  CHECK(make_request_id(0, 0) == std::string(32, '0'));
  CHECK(make_request_id(0x0123456789abcdef, 0xfedcba9876543210) ==
        "0123456789abcdeffedcba9876543210");
  CHECK(make_request_id(UINT64_MAX, 1) == "ffffffffffffffff0000000000000001");
}

}  // namespace fairlead::rules
