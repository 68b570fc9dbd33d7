#include "proxy/rules/origin.h"

#include <initializer_list>

#include "tests/support/catch.h"

namespace fairlead::rules {
namespace {

std::vector<conf::OriginPattern> patterns(std::initializer_list<const char*> texts) {
  std::vector<conf::OriginPattern> result;
  for (const char* text : texts) {
    const auto pattern = conf::OriginPattern::parse(text);
    INFO(text);
    REQUIRE(pattern);
    result.push_back(*pattern);
  }
  return result;
}

bool allowed(std::initializer_list<const char*> list, const OriginQuestion& question,
             bool require_origin = false) {
  return origin_allowed(patterns(list), require_origin, question);
}

}  // namespace

TEST_CASE("origin: same-origin compares host and port", "[rules][origin]") {
  struct Row {
    const char* origin;
    const char* host;
    bool secure;
    bool want;
    const char* why;
  };

  const Row rows[] = {
      {"https://a.com", "a.com", true, true, "the plain case"},
      {"http://a.com", "a.com", false, true, "the plain case without TLS"},
      {"https://a.com", "a.com:443", true, true, "the default port written out in Host"},
      {"https://a.com:443", "a.com", true, true, "the default port written out in Origin"},
      {"http://a.com", "a.com:80", false, true, "port 80 written out"},
      {"https://a.com:8443", "a.com:8443", true, true, "another port, the same in both"},
      {"http://localhost:3000", "localhost:3000", false, true, "development"},
      {"https://A.Com", "a.COM", true, true, "host names have no case"},
      {"HTTPS://a.com", "a.com", true, true, "schemes have no case"},
      {"http://[::1]:3000", "[::1]:3000", false, true, "IPv6"},
      {"http://[::1]", "[0:0:0:0:0:0:0:1]:80", false, true, "IPv6 written in another way"},
      {"https://10.0.0.1", "10.0.0.1", true, true, "IPv4"},
      {"https://a.com", "a.com", false, true, "TLS ended in front of us"},
      {"https://a.com", "a.com:", true, true, "an empty port is the scheme's (RFC 3986 3.2.3)"},
      {"https://a.com.", "a.com.", true, true, "the absolute name"},
      {"https://a.com", "a.com.:443", true, true, "the absolute name in Host alone"},
      {"https://a.com.", "a.com", true, true, "the absolute name in Origin alone"},
      {"https://a.com..", "a.com", true, false, "two dots are no name"},
      {"https://a.com", "a.com:443", false, true, "the same with the port"},

      {"http://a.com", "a.com", true, false, "a page that could be forged into a secure request"},
      {"http://a.com:443", "a.com", true, false, "the same with the port that would fit"},
      {"https://a.com", "a.com:80", false, false, "443 is not 80"},
      {"https://a.com:8443", "a.com", true, false, "another port is another origin"},
      {"https://a.com", "a.com:8443", true, false, "the same the other way round"},
      {"https://b.com", "a.com", true, false, "another host"},
      {"https://www.a.com", "a.com", true, false, "a subdomain is another host"},
      {"https://a.com.evil.org", "a.com", true, false, "the host as a prefix"},
      {"https://evil-a.com", "a.com", true, false, "the host as a suffix"},
      {"https://a.com@evil.org", "a.com", true, false, "user information"},
      {"https://evil.org#a.com", "a.com", true, false, "a fragment"},
      {"https://a.com/", "a.com", true, false, "a path: no origin"},
      {"https://a.com https://a.com", "a.com", true, false, "a list (RFC 6454 allows, none sends)"},
      {"https://", "a.com", true, false, "no host"},
      {"a.com", "a.com", true, false, "no scheme"},
      {"//a.com", "a.com", true, false, "no scheme, with slashes"},
      {"wss://a.com", "a.com", true, false, "a page's scheme is http or https"},
      {"file://a.com", "a.com", true, false, "a file has no origin"},
      {"chrome-extension://a.com", "a.com", true, false, "an extension is not the page"},
      {"null", "a.com", true, false, "null is nobody's origin"},
      {"", "a.com", true, false, "an empty field"},
      {"null", "null", true, false, "null is no host name here"},
      {"https://a.com", "", true, false, "no Host (HTTP/1.0)"},
      {"https://a.com", "a.com:99999", true, false, "a Host with a port that is none"},
      {"http://[::2]", "[::1]", false, false, "another IPv6 address"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.origin, row.host, row.secure, row.why);
    CHECK(allowed({"same-origin"}, {row.origin, row.host, row.secure}) == row.want);
  }
}

TEST_CASE("origin: a listed origin is compared whole", "[rules][origin]") {
  struct Row {
    const char* origin;
    bool want;
    const char* why;
  };

  const Row rows[] = {
      {"https://app.example.com", true, "the listed one"},
      {"https://app.example.com:443", true, "its default port"},
      {"https://APP.example.com", true, "case"},
      {"http://localhost:3000", true, "the second in the list"},
      {"http://[::1]:8080", true, "IPv6"},
      {"http://[0::1]:8080", true, "IPv6 written in another way"},
      {"http://app.example.com", false, "downgraded scheme"},
      {"https://localhost:3000", false, "upgraded scheme: another origin too"},
      {"https://app.example.com:8443", false, "another port"},
      {"http://localhost", false, "the port left out"},
      {"https://example.com", false, "the parent domain"},
      {"https://x.app.example.com", false, "a subdomain"},
      {"https://app.example.com.evil.org", false, "the listed one as a prefix"},
      {"https://host.example", false, "same origin, which is not listed"},
      {"null", false, "null"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.origin, row.why);
    CHECK(allowed({"https://app.example.com", "http://localhost:3000", "http://[::1]:8080"},
                  {row.origin, "host.example", true}) == row.want);
  }
}

TEST_CASE("origin: a wildcard takes subdomains only", "[rules][origin]") {
  struct Row {
    const char* origin;
    bool want;
    const char* why;
  };

  const Row rows[] = {
      {"https://a.example.com", true, "a subdomain"},
      {"https://a.b.example.com", true, "of any depth"},
      {"https://A.EXAMPLE.COM", true, "case"},
      {"https://a.example.com:443", true, "the default port"},
      {"https://example.com", false, "the bare domain"},
      {"https://.example.com", false, "an empty label"},
      {"https://evil-example.com", false, "no dot before the domain"},
      {"https://evilexample.com", false, "no dot before the domain"},
      {"https://a.example.com.evil.org", false, "the domain in the middle"},
      {"https://evil.org/.example.com", false, "the domain in a path"},
      {"https://evil.org?.example.com", false, "the domain in a query"},
      {"https://evil.org#.example.com", false, "the domain in a fragment"},
      {"https://evil.org:1.example.com", false, "the domain in a port"},
      {"https://*.example.com", false, "the pattern itself"},
      {"http://a.example.com", false, "downgraded scheme"},
      {"https://a.example.com:8443", false, "another port"},
      {"https://a.example.org", false, "another domain"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.origin, row.why);
    CHECK(allowed({"https://*.example.com"}, {row.origin, "host.example", true}) == row.want);
  }
  CHECK(allowed({"http://*.example.com:8080"}, {"http://a.example.com:8080", "h", false}));
  CHECK_FALSE(allowed({"http://*.example.com:8080"}, {"http://a.example.com", "h", false}));
}

TEST_CASE("origin: extensions and apps have schemes of their own", "[rules][origin]") {
  struct Row {
    const char* origin;
    bool want;
    const char* why;
  };

  const Row rows[] = {
      {"chrome-extension://abcdefghijklmnop", true, "the listed extension"},
      {"CHROME-EXTENSION://ABCDEFGHIJKLMNOP", true, "in another case"},
      {"chrome-extension://abcdefghijklmnoq", false, "another extension"},
      {"moz-extension://abcdefghijklmnop", false, "another browser's"},
      {"https://abcdefghijklmnop", false, "a web page of that name"},
      {"capacitor://localhost", true, "an app"},
      {"capacitor://localhost:80", false, "an app with a port that was not listed"},
      {"capacitor://localhost/", false, "a path: no origin"},
      {"ionic://localhost", false, "another app"},
      {"file://", true, "a file"},
      {"file://host", false, "a file of another machine"},
      {"file:///", false, "a path: no origin"},
      {"file", false, "no scheme"},
      {"app://a.example.com", true, "a subdomain of an app's"},
      {"app://example.com", false, "the bare domain"},
      {"app://*.example.com", false, "the pattern itself"},
      {"same-origin", false, "a word of ours"},
      {"any", false, "a word of ours"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.origin, row.why);
    CHECK(allowed({"chrome-extension://abcdefghijklmnop", "capacitor://localhost", "file://",
                   "app://*.example.com"},
                  {row.origin, "host.example", true}) == row.want);
  }
}

TEST_CASE("origin: absent, null and any", "[rules][origin]") {
  const OriginQuestion absent{std::nullopt, "a.com", true};
  const OriginQuestion null{"null", "a.com", true};
  const OriginQuestion foreign{"https://evil.org", "a.com", true};
  const OriginQuestion rubbish{"?", "a.com", true};

  SECTION("no Origin is no browser, unless one is required") {
    CHECK(allowed({"same-origin"}, absent));
    CHECK(allowed({}, absent));
    CHECK_FALSE(allowed({"same-origin"}, absent, true));
    CHECK_FALSE(allowed({"any"}, absent, true));
  }
  SECTION("null only where it is listed, in lower case") {
    CHECK_FALSE(allowed({"same-origin", "https://a.com"}, null));
    CHECK(allowed({"same-origin", "null"}, null));
    CHECK_FALSE(allowed({"null"}, {"NULL", "a.com", true}));
    CHECK_FALSE(allowed({"null"}, foreign));
  }
  SECTION("any takes whatever stands there") {
    CHECK(allowed({"any"}, null));
    CHECK(allowed({"any"}, foreign));
    CHECK(allowed({"any"}, rubbish));
    CHECK(allowed({"any"}, {"", "a.com", true}));
  }
  SECTION("an empty list takes no browser at all") {
    CHECK_FALSE(allowed({}, {"https://a.com", "a.com", true}));
  }
  SECTION("require_origin does not loosen the list") {
    CHECK(allowed({"same-origin"}, {"https://a.com", "a.com", true}, true));
    CHECK_FALSE(allowed({"same-origin"}, foreign, true));
  }
  SECTION("one that fits is enough, wherever it stands") {
    CHECK(allowed({"same-origin", "https://evil.org"}, foreign));
    CHECK(allowed({"https://evil.org", "same-origin"}, foreign));
  }
}

}  // namespace fairlead::rules
