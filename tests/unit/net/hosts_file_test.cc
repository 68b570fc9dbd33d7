#include "proxy/net/hosts_file.h"

#include "tests/support/catch.h"

namespace fairlead::net {
namespace {

std::string found(std::string_view text, std::string_view name) {
  std::string out;
  for (const conf::Ip& ip : addresses_in_hosts(text, name)) out += ip.text() + " ";
  return out;
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += name + " ";
  return out;
}

}  // namespace

TEST_CASE("hosts file: all lines with the name count", "[net][dns]") {
  constexpr std::string_view kText =
      "127.0.0.1\tlocalhost\n"
      "  10.0.0.1 App.internal app # 10.0.0.9 app\r\n"
      "#10.0.0.2 app\n"
      "::1 localhost ip6-localhost\n"
      "10.0.0.3 other app\n"
      "10.0.0.3 app\n"
      "nonsense app\n"
      "\n"
      "10.0.0.4\n"
      "10.0.0.5 app";
  CHECK(found(kText, "app") == "10.0.0.1 10.0.0.3 10.0.0.5 ");
  CHECK(found(kText, "app.internal") == "10.0.0.1 ");
  CHECK(found(kText, "localhost") == "127.0.0.1 ::1 ");
  CHECK(found(kText, "ap").empty());
  CHECK(found("", "app").empty());
}

TEST_CASE("search list: as resolv.conf(5) has it", "[net][dns]") {
  CHECK(joined(search_names("app", {}, 1)) == "app ");
  CHECK(joined(search_names("app", {"a.b", "", ".", "c"}, 1)) == "app.a.b app.c app ");
  CHECK(joined(search_names("app.x", {"a"}, 1)) == "app.x app.x.a ");
  CHECK(joined(search_names("app.ns.svc.x.y", {"a"}, 5)) == "app.ns.svc.x.y.a app.ns.svc.x.y ");
  CHECK(joined(search_names("a.b.c.d.e.f", {"a"}, 5)) == "a.b.c.d.e.f a.b.c.d.e.f.a ");
}

TEST_CASE("families: what no server can be at, and what this machine cannot reach", "[net][dns]") {
  const auto reach = [](Families families, const char* text) {
    return families.reach(*conf::Ip::parse(text));
  };
  for (const auto* good : {"10.0.0.1", "127.0.0.1", "192.0.2.1"}) CHECK(reach({}, good));
  for (const auto* bad : {"0.0.0.0", "255.255.255.255", "224.0.0.1", "239.1.1.1", "::", "ff02::1",
                          "fe80::1", "fd00::1", "::1"})
    CHECK_FALSE(reach({}, bad));
  // One rule for both families, and for IPv4 in either form.
  for (const auto* bad : {"169.254.169.254", "::ffff:169.254.0.1", "febf::1", "240.0.0.1",
                          "254.1.2.3", "::ffff:240.0.0.1", "0.1.2.3", "::ffff:0.0.0.0"})
    CHECK_FALSE(reach({true, true}, bad));
  for (const auto* good : {"169.253.0.1", "169.255.0.1", "223.255.255.255", "fec0::1", "fe00::1"})
    CHECK(reach({true, true}, good));
  CHECK(reach({true, false}, "fd00::1"));
  CHECK_FALSE(reach({true, false}, "::1"));
  CHECK(reach({false, true}, "::1"));
  CHECK_FALSE(reach({false, true}, "2001:db8::1"));
  CHECK_FALSE(reach({true, true}, "fe80::1"));
}

TEST_CASE("families: what a name server may say, and what the machine itself", "[net][dns]") {
  constexpr Families kAll{true, true};
  const auto may = [&](const char* ip, AddressSource source, const conf::Dns& settings = {}) {
    return may_serve(*conf::Ip::parse(ip), source, settings, kAll);
  };
  for (const auto* local : {"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"}) {
    CAPTURE(local);
    CHECK(may(local, AddressSource::machine));
    CHECK_FALSE(may(local, AddressSource::name_server));
    conf::Dns allowed;
    allowed.allow_loopback = true;
    CHECK(may(local, AddressSource::name_server, allowed));
  }
  CHECK(may("10.0.0.1", AddressSource::name_server));
  CHECK(may("fd00::1", AddressSource::name_server));
  CHECK_FALSE(may("169.254.1.1", AddressSource::machine));
  CHECK_FALSE(may("fe80::1", AddressSource::machine));
  conf::Dns only;
  only.family = conf::Dns::Family::ipv4;
  CHECK(may("10.0.0.1", AddressSource::machine, only));
  CHECK_FALSE(may("fd00::1", AddressSource::machine, only));
  only.family = conf::Dns::Family::ipv6;
  CHECK_FALSE(may("10.0.0.1", AddressSource::name_server, only));
  CHECK(may("fd00::1", AddressSource::name_server, only));
}

}  // namespace fairlead::net
