#include "proxy/rules/authority.h"

#include "tests/support/catch.h"

namespace fairlead::rules {

TEST_CASE("authority: host and port are taken apart", "[rules][authority]") {
  struct Row {
    const char* text;
    const char* host;
    std::uint16_t port;
  };

  const Row rows[] = {
      {"example.com", "example.com", 0},
      {"EXAMPLE.com:8080", "example.com", 8080},
      {"example.com:", "example.com", 0},
      {"example.com.", "example.com.", 0},
      {"a_b-c.d", "a_b-c.d", 0},
      {"10.0.0.1:1", "10.0.0.1", 1},
      {"h:65535", "h", 65535},
      {"[::1]", "[::1]", 0},
      {"[::1]:443", "[::1]", 443},
      {"[0:0::0001]:443", "[::1]", 443},
      {"[2001:DB8::A]", "[2001:db8::a]", 0},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto got = parse_authority(row.text);
    REQUIRE(got);
    CHECK(got->host == row.host);
    CHECK(got->port == row.port);
  }
}

TEST_CASE("authority: hosts are compared without a final dot", "[rules][authority]") {
  CHECK(compared_authority("Example.com.:8080") == Authority{"example.com", 8080});
  CHECK(compared_authority("example.com") == Authority{"example.com", 0});
  CHECK(compared_authority("example.com.:") == Authority{"example.com", 0});
  CHECK(compared_authority("[::1]:80") == Authority{"[::1]", 80});
  CHECK_FALSE(compared_authority("."));
}

TEST_CASE("authority: what names no host is refused", "[rules][authority]") {
  struct Row {
    const char* text;
    const char* why;
  };

  const Row rows[] = {
      {"", "empty"},
      {":80", "a port only"},
      {"user@example.com", "user information"},
      {"user:1@example.com", "user information with a password"},
      {"example.com/", "a path"},
      {"exa mple.com", "a space"},
      {"exam%70le.com", "percent-encoded"},
      {"*.example.com", "a pattern, not a host"},
      {".example.com", "an empty first label"},
      {"example.com:0", "port 0"},
      {"example.com:65536", "port too great"},
      {"example.com:000080", "six digits"},
      {"example.com:80a", "letters in the port"},
      {"example.com:-1", "a sign"},
      {"example.com:80:80", "two ports"},
      {"[::1", "bracket not closed"},
      {"[::1]80", "no colon after the bracket"},
      {"[]", "no address in the brackets"},
      {"[10.0.0.1]", "IPv4 in brackets"},
      {"[::1%25eth0]", "a zone"},
      {"::1", "IPv6 without brackets"},
      {"ex\xc3\xa4mple.com", "not ASCII"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text, row.why);
    CHECK_FALSE(parse_authority(row.text));
  }
}

}  // namespace fairlead::rules
