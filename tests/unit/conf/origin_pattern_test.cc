#include "conf/origin_pattern.h"

#include "tests/support/catch.h"

using namespace fairlead::conf;

TEST_CASE("origin: what a list of origins may hold", "[conf][origin]") {
  using K = OriginPattern::Kind;

  struct Row {
    const char* text;
    OriginPattern pattern;
  };

  const auto row = GENERATE(values<Row>({
      {"same-origin", {K::same_origin, "", "", 0}},
      {"any", {K::any, "", "", 0}},
      {"null", {K::null, "", "", 0}},
      {"https://app.example.com", {K::exact, "https", "app.example.com", 443}},
      {"HTTPS://App.Example.COM", {K::exact, "https", "app.example.com", 443}},
      {"http://localhost:3000", {K::exact, "http", "localhost", 3000}},
      {"http://example.com", {K::exact, "http", "example.com", 80}},
      {"http://example.com:80", {K::exact, "http", "example.com", 80}},
      {"https://10.0.0.1:8443", {K::exact, "https", "10.0.0.1", 8443}},
      {"https://[::1]:8443", {K::exact, "https", "[::1]", 8443}},
      {"https://[FD00:0::1]", {K::exact, "https", "[fd00::1]", 443}},
      {"https://*.example.com", {K::wildcard, "https", "example.com", 443}},
      {"https://app.example.com.", {K::exact, "https", "app.example.com", 443}},
      {"ftp://app.example.com", {K::exact, "ftp", "app.example.com", 0}},
      {"chrome-extension://Abcdefgh", {K::exact, "chrome-extension", "abcdefgh", 0}},
      {"moz-extension://0f3a-9", {K::exact, "moz-extension", "0f3a-9", 0}},
      {"capacitor://localhost", {K::exact, "capacitor", "localhost", 0}},
      {"tauri://localhost:1420", {K::exact, "tauri", "localhost", 1420}},
      {"app://.", {K::exact, "app", ".", 0}},
      {"file://", {K::exact, "file", "", 0}},
      {"app://*.example.com", {K::wildcard, "app", "example.com", 0}},
      {"https://*.example.com:65535", {K::wildcard, "https", "example.com", 65535}},
  }));
  CAPTURE(row.text);
  REQUIRE(OriginPattern::parse(row.text) == row.pattern);
}

TEST_CASE("origin: what is none", "[conf][origin]") {
  struct Row {
    const char* why;
    const char* text;
  };

  const auto row = GENERATE(values<Row>({{"empty", ""},
                                         {"no scheme", "app.example.com"},
                                         {"no host", "https://"},
                                         {"a slash", "https://app.example.com/"},
                                         {"a path", "https://app.example.com/chat"},
                                         {"user info", "https://u@app.example.com"},
                                         {"user and password", "https://u:p@app.example.com"},
                                         {"no scheme's name", "a b://app.example.com"},
                                         {"a scheme that begins with a digit", "1a://x"},
                                         {"an empty scheme", "://x"},
                                         {"an app's path", "capacitor://localhost/"},
                                         {"an app's path alone", "file:///"},
                                         {"an app's user", "app://u@x"},
                                         {"an app's port 0", "app://x:0"},
                                         {"WebSocket scheme", "wss://app.example.com"},
                                         {"port 0", "https://app.example.com:0"},
                                         {"port too large", "https://app.example.com:65536"},
                                         {"no port", "https://app.example.com:"},
                                         {"two ports", "https://app.example.com:1:2"},
                                         {"star within", "https://app.*.com"},
                                         {"star in a label", "https://a*.example.com"},
                                         {"star alone", "https://*"},
                                         {"star and nothing", "https://*."},
                                         {"two stars", "https://*.*.example.com"},
                                         {"star before an address", "https://*.0.0.1"},
                                         {"star for the scheme", "*://app.example.com"},
                                         {"blank", "https://app example.com"},
                                         {"bare IPv6", "https://::1"},
                                         {"IPv4 in brackets", "https://[10.0.0.1]"},
                                         {"mapped IPv4", "https://[::ffff:10.0.0.1]"},
                                         {"upper-case word", "Null"},
                                         {"a query", "https://app.example.com?x"}}));
  CAPTURE(row.why);
  REQUIRE_FALSE(OriginPattern::parse(row.text).has_value());
}
