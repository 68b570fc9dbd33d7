#include "conf/ip.h"

#include "tests/support/catch.h"

using namespace fairlead::conf;

TEST_CASE("ip: text is canonical", "[conf][ip]") {
  struct Row {
    const char* text;
    const char* canonical;
  };

  const auto row = GENERATE(values<Row>({{"10.0.0.1", "10.0.0.1"},
                                         {"0.0.0.0", "0.0.0.0"},
                                         {"255.255.255.255", "255.255.255.255"},
                                         {"::", "::"},
                                         {"::1", "::1"},
                                         {"FD00:0:0::1", "fd00::1"},
                                         {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
                                         {"::ffff:10.0.0.1", "10.0.0.1"}}));
  CAPTURE(row.text);
  const auto ip = Ip::parse(row.text);
  REQUIRE(ip.has_value());
  REQUIRE(ip->text() == row.canonical);
  REQUIRE(Ip::parse(ip->text()) == ip);
}

TEST_CASE("ip: what is no address", "[conf][ip]") {
  const std::string text =
      GENERATE(as<std::string>{}, "", "10.0.0", "10.0.0.256", "10.0.0.01", "1.2.3.4.5", " 1.2.3.4",
               "[::1]", "::1%eth0", "fe80:::1", "12345::", "localhost", std::string("1.2.3.4\0", 8),
               std::string(100, '1'));
  CAPTURE(text);
  REQUIRE_FALSE(Ip::parse(text).has_value());
}

TEST_CASE("ip: a client over a dual-stack socket equals itself over IPv4", "[conf][ip]") {
  REQUIRE(Ip::v4(0x0A000001) == *Ip::parse("::ffff:10.0.0.1"));
  REQUIRE(Ip::v4(0x0A000001).is_v4());
  REQUIRE_FALSE(Ip::parse("::1")->is_v4());
}

TEST_CASE("ip: loopback is 127/8 and ::1", "[conf][ip]") {
  REQUIRE(Ip::parse("127.0.0.1")->is_loopback());
  REQUIRE(Ip::parse("127.255.0.1")->is_loopback());
  REQUIRE(Ip::parse("::1")->is_loopback());
  REQUIRE_FALSE(Ip::parse("126.255.255.255")->is_loopback());
  REQUIRE_FALSE(Ip::parse("128.0.0.0")->is_loopback());
  REQUIRE_FALSE(Ip::parse("::")->is_loopback());
  REQUIRE_FALSE(Ip::parse("::2")->is_loopback());
}

TEST_CASE("cidr: networks hold what their prefix says", "[conf][ip]") {
  struct Row {
    const char* network;
    const char* inside;
    const char* outside;
  };

  const auto row = GENERATE(values<Row>({{"10.0.0.0/8", "10.255.0.1", "11.0.0.0"},
                                         {"10.1.2.3/8", "10.255.0.1", "9.255.255.255"},
                                         {"192.168.4.0/22", "192.168.7.255", "192.168.8.0"},
                                         {"10.0.0.1", "10.0.0.1", "10.0.0.2"},
                                         {"10.0.0.1/32", "10.0.0.1", "10.0.0.0"},
                                         {"10.0.0.0/31", "10.0.0.1", "10.0.0.2"},
                                         {"0.0.0.0/0", "255.1.1.1", "::1"},
                                         {"fd00::/8", "fdff::1", "fe00::"},
                                         {"::1", "::1", "::2"},
                                         {"::/1", "7fff::", "8000::"},
                                         {"::ffff:10.0.0.0/104", "10.9.9.9", "11.0.0.0"}}));
  CAPTURE(row.network);
  const auto cidr = Cidr::parse(row.network);
  REQUIRE(cidr.has_value());
  REQUIRE(cidr->contains(*Ip::parse(row.inside)));
  REQUIRE_FALSE(cidr->contains(*Ip::parse(row.outside)));
}

TEST_CASE("cidr: a network is the same however it is written", "[conf][ip]") {
  REQUIRE(Cidr::parse("10.1.2.3/8") == Cidr::parse("10.0.0.0/8"));
  REQUIRE(Cidr::parse("10.0.0.0/8")->prefix == 104);
  REQUIRE(Cidr::parse("::/0")->contains(Ip::v4(1)));
}

TEST_CASE("cidr: what is no network", "[conf][ip]") {
  const auto* text = GENERATE("", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08",
                              "10.0.0.0/8/8", "::/129", "10.0.0/8", "10.0.0.0/8 ", "host/8");
  CAPTURE(text);
  REQUIRE_FALSE(Cidr::parse(text).has_value());
}

TEST_CASE("address: all forms survive a round trip", "[conf][ip]") {
  struct Row {
    const char* text;
    Address::Kind kind;
    unsigned port;
    const char* again;
  };

  using K = Address::Kind;
  const auto row =
      GENERATE(values<Row>({{"0.0.0.0:443", K::ip, 443, "0.0.0.0:443"},
                            {"[::]:443", K::ip, 443, "[::]:443"},
                            {"[FD00::1]:1", K::ip, 1, "[fd00::1]:1"},
                            {"[::ffff:1.2.3.4]:80", K::ip, 80, "1.2.3.4:80"},
                            {"127.0.0.1:0", K::ip, 0, "127.0.0.1:0"},
                            {"127.0.0.1:65535", K::ip, 65535, "127.0.0.1:65535"},
                            {"LocalHost:3000", K::name, 3000, "localhost:3000"},
                            {"my_app.internal:80", K::name, 80, "my_app.internal:80"},
                            {"App.Internal.:80", K::name, 80, "app.internal.:80"},
                            {"unix:/run/app.sock", K::unix_path, 0, "unix:/run/app.sock"},
                            {"unix:app.sock:1", K::unix_path, 0, "unix:app.sock:1"}}));
  CAPTURE(row.text);
  const auto address = Address::parse(row.text);
  REQUIRE(address.has_value());
  REQUIRE(address->kind == row.kind);
  REQUIRE(address->port == row.port);
  REQUIRE(address->text() == row.again);
  REQUIRE(Address::parse(address->text()) == address);
}

TEST_CASE("address: what is none", "[conf][ip]") {
  const auto* text =
      GENERATE("", ":80", "80", "localhost", "localhost:", "localhost:65536", "localhost:080",
               "localhost:+80", "localhost: 80", "::1:80", "[::1]", "[::1]80", "[1.2.3.4]:80",
               "[host]:80", "1.2.3:80", "256.0.0.1:80", "a b:80", "-a:80", "a..b:80", "a..:80",
               ".:80", "1.2.3.4.:80", "unix:", "http://h:80", "h:80/", "*:80");
  CAPTURE(text);
  REQUIRE_FALSE(Address::parse(text).has_value());
}

TEST_CASE("address: names and paths end at their bounds", "[conf][ip]") {
  REQUIRE(Address::parse("unix:" + std::string(106, 'p')).has_value());
  REQUIRE(Address::parse("unix:" + std::string(107, 'p')).has_value());
  REQUIRE_FALSE(Address::parse("unix:" + std::string(108, 'p')).has_value());
  REQUIRE(Address::parse(std::string(62, 'h') + ":1").has_value());
  REQUIRE(Address::parse(std::string(63, 'h') + ":1").has_value());
  REQUIRE_FALSE(Address::parse(std::string(64, 'h') + ":1").has_value());
}
