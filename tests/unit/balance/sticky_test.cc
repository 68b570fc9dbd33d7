#include "proxy/balance/sticky.h"

#include <random>

#include "proxy/balance/picker.h"
#include "tests/support/catch.h"

namespace fairlead::balance {
namespace {

const std::vector<std::string> kServers{"10.0.0.11:8080", "10.0.0.12:8080", "unix:/run/app.sock"};

conf::Sticky settings(std::string secret = "0123456789abcdef") {
  conf::Sticky result;
  result.secret = std::move(secret);
  return result;
}

Sticky sticky(std::string secret = "0123456789abcdef", std::string_view backend = "chat",
              const std::vector<std::string>& servers = kServers) {
  return Sticky(settings(std::move(secret)), backend, servers);
}

// "fairlead=VALUE" of a Set-Cookie value.
std::string pair_of(const Sticky& from, std::size_t server) {
  const auto text = from.set_cookie(server, false);
  return text.substr(0, text.find(';'));
}

std::string value_of(const Sticky& from, std::size_t server) {
  return pair_of(from, server).substr(std::string_view("fairlead=").size());
}

std::size_t find(const Sticky& in, std::string_view cookie) {
  wire::Fields fields;
  fields.add("Host", "a.com");
  fields.add("cookie", cookie);
  return in.find(fields);
}

}  // namespace

TEST_CASE("sticky: each server is found by the cookie that names it", "[balance][sticky]") {
  const auto names = sticky();
  for (std::size_t i = 0; i < kServers.size(); ++i) CHECK(find(names, pair_of(names, i)) == i);
  CHECK(find(names, "") == kNoServer);
  CHECK(names.find(wire::Fields()) == kNoServer);
}

TEST_CASE("sticky: the value is 24 characters, and always the same", "[balance][sticky]") {
  const auto value = value_of(sticky(), 0);
  // HMAC-SHA256("0123456789abcdef", "fairlead sticky v1\0chat\010.0.0.11:8080"), by another
  // program.
  CHECK(value == "fccot8LnakRafQQUJOTIe8l4");
  CHECK(value.size() == 24);
  CHECK(value.find("10.0") == std::string::npos);
  CHECK(value == value_of(sticky(), 0));
}

TEST_CASE("sticky: secret, backend and server each make another value", "[balance][sticky]") {
  const auto value = value_of(sticky(), 0);
  CHECK(value != value_of(sticky(), 1));
  CHECK(value != value_of(sticky("another secret"), 0));
  CHECK(value != value_of(sticky("0123456789abcdef", "chat2"), 0));
  // Where backend ends and server begins is part of it.
  CHECK(value_of(sticky("s", "ab", {"c"}), 0) != value_of(sticky("s", "a", {"bc"}), 0));
}

TEST_CASE("sticky: forged, foreign and gone find nothing", "[balance][sticky]") {
  const auto names = sticky();
  const auto value = value_of(names, 1);
  SECTION("forged: any bit of it, and any length") {
    for (std::size_t i = 0; i < value.size(); ++i) {
      auto forged = value;
      forged[i] = forged[i] == 'A' ? 'B' : 'A';
      CHECK(find(names, "fairlead=" + forged) == kNoServer);
      CHECK(find(names, "fairlead=" + value.substr(0, i)) == kNoServer);
    }
    CHECK(find(names, "fairlead=" + value + "A") == kNoServer);
    CHECK(find(names, "fairlead=10.0.0.11:8080") == kNoServer);
    CHECK(find(names, "fairlead=0") == kNoServer);
  }
  SECTION("foreign: another secret's, another backend's") {
    CHECK(find(names, pair_of(sticky("another secret"), 1)) == kNoServer);
    CHECK(find(names, pair_of(sticky("0123456789abcdef", "other"), 1)) == kNoServer);
  }
  SECTION("gone: the server is not in the pool any more") {
    const auto later = sticky("0123456789abcdef", "chat", {kServers[2], kServers[0]});
    CHECK(find(later, pair_of(names, 1)) == kNoServer);
    // The others are found where they stand now.
    CHECK(find(later, pair_of(names, 0)) == 1);
    CHECK(find(later, pair_of(names, 2)) == 0);
  }
  SECTION("without a secret in the configuration, each has its own") {
    const auto one = sticky("");
    const auto two = sticky("");
    CHECK(find(one, pair_of(one, 1)) == 1);
    CHECK(find(two, pair_of(one, 1)) == kNoServer);
  }
}

TEST_CASE("sticky: cookies are read as servers read them", "[balance][sticky]") {
  const auto names = sticky();
  const auto value = value_of(names, 1);
  const auto pair = "fairlead=" + value;

  struct Row {
    std::string cookie;
    bool want;
    const char* why;
  };

  const Row rows[] = {
      {pair, true, "alone"},
      {"a=b; " + pair + "; c=d", true, "among others"},
      {"a=b;" + pair + ";c=d", true, "without spaces"},
      {" a ; ;;=;  " + pair + " ;", true, "among rubbish"},
      {"fairlead = " + value, true, "spaces around ="},
      {"fairlead=\"" + value + "\"", true, "quoted"},
      {"\t" + pair, true, "a tab"},
      {"fairlead=x; " + pair, true, "after one of another path"},
      {pair + "; fairlead=x", true, "before one"},
      {"Fairlead=" + value, false, "the name has a case"},
      {"xfairlead=" + value, false, "a longer name"},
      {"fairlead2=" + value, false, "a longer name"},
      {"fairlead", false, "no value"},
      {"fairlead=", false, "an empty value"},
      {"fairlead=\"", false, "one quote"},
      {"fairlead=\"\"", false, "quotes with nothing inside"},
      {"fairlead=\"" + value, false, "a quote not closed"},
      {"fairlead==" + value, false, "the value begins with ="},
      {"a=" + pair, false, "in another's value"},
      {"a=b, " + pair, false, "a comma does not separate"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.cookie, row.why);
    CHECK(find(names, row.cookie) == (row.want ? 1 : kNoServer));
  }
}

TEST_CASE("sticky: several Cookie fields, and not too many cookies", "[balance][sticky]") {
  const auto names = sticky();
  wire::Fields fields;
  fields.add("Cookie", "a=b");
  fields.add("X-Cookie", pair_of(names, 0));
  const auto second = pair_of(names, 2) + "; c=d";
  fields.add("COOKIE", second);
  CHECK(names.find(fields) == 2);

  for (const int wrong : {6, 7, 8, 1000}) {
    CAPTURE(wrong);
    std::string cookie;
    for (int i = 0; i < wrong; ++i) cookie += "fairlead=x; ";
    CHECK(find(names, cookie + pair_of(names, 1)) == (wrong < 8 ? 1 : kNoServer));
  }
}

TEST_CASE("sticky: any bytes are taken without harm", "[balance][sticky]") {
  const auto names = sticky();
  std::mt19937 random(3);
  constexpr std::string_view kAlphabet = "fairlead=;\" \t\xff,a";
  for (int i = 0; i < 20'000; ++i) {
    std::string cookie;
    const auto size = random() % 60;
    for (unsigned at = 0; at < size; ++at) cookie += kAlphabet[random() % kAlphabet.size()];
    CAPTURE(cookie);
    REQUIRE(find(names, cookie) == kNoServer);
  }
}

TEST_CASE("sticky: the Set-Cookie value", "[balance][sticky]") {
  auto with = settings();
  const auto rest = [&](bool secure) {
    const auto text = Sticky(with, "chat", kServers).set_cookie(0, secure);
    return text.substr(text.find(';'));
  };
  CHECK(rest(false) == "; Path=/; HttpOnly; SameSite=Lax");
  CHECK(rest(true) == "; Path=/; HttpOnly; SameSite=Lax; Secure");
  with.max_age = std::chrono::hours(1);
  CHECK(rest(true) == "; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600; Secure");
  with.max_age = conf::Millis(1);
  CHECK(rest(false) == "; Path=/; HttpOnly; SameSite=Lax; Max-Age=1");
  with.max_age = std::nullopt;
  with.same_site = conf::Sticky::SameSite::strict;
  CHECK(rest(false) == "; Path=/; HttpOnly; SameSite=Strict");
  with.same_site = conf::Sticky::SameSite::none;
  CHECK(rest(true) == "; Path=/; HttpOnly; SameSite=None; Secure");
  with.cookie = "server_id";
  CHECK(Sticky(with, "chat", kServers).set_cookie(0, true).starts_with("server_id="));
}

TEST_CASE("sticky: a random secret lives on, a given one does not", "[balance][sticky][reload]") {
  const Sticky random(settings(""), "chat", kServers);
  const Sticky again(settings(""), "chat", kServers, &random);
  CHECK(pair_of(again, 1) == pair_of(random, 1));
  const Sticky third(settings(""), "chat", {kServers[2]}, &again);
  CHECK(pair_of(third, 0) == pair_of(random, 2));
  const Sticky given(settings(), "chat", kServers, &random);
  CHECK(pair_of(given, 1) == pair_of(sticky(), 1));
  CHECK(pair_of(Sticky(settings(""), "chat", kServers, &given), 1) != pair_of(given, 1));
}

}  // namespace fairlead::balance
