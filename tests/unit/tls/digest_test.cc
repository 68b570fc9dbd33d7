#include "tls/digest.h"

#include <array>
#include <cstdio>
#include <set>

#include "tests/support/catch.h"

namespace fairlead::tls {

namespace {

std::string hex(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) {
    std::array<char, 3> pair{};
    std::snprintf(pair.data(), pair.size(), "%02x",
                  static_cast<unsigned>(static_cast<unsigned char>(c)));
    text += pair.data();
  }
  return text;
}

}  // namespace

TEST_CASE("digest: HMAC-SHA-256 gives RFC 4231's values", "[tls][digest]") {
  REQUIRE(hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")) ==
          "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  REQUIRE(hex(hmac_sha256("Jefe", "what do ya want for nothing?")) ==
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  REQUIRE(hex(hmac_sha256(std::string(131, '\xaa'),
                          "Test Using Larger Than Block-Size Key - Hash Key First")) ==
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  REQUIRE(hex(hmac_sha256("", "")) ==
          "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST_CASE("digest: base64url gives RFC 4648's values without padding", "[tls][digest]") {
  struct Row {
    std::string bytes, text;
  };

  const Row row = GENERATE(values<Row>({{"", ""},
                                        {"f", "Zg"},
                                        {"fo", "Zm8"},
                                        {"foo", "Zm9v"},
                                        {"foob", "Zm9vYg"},
                                        {"fooba", "Zm9vYmE"},
                                        {"foobar", "Zm9vYmFy"},
                                        {"\xfb\xff\xfe", "-__-"},
                                        {std::string(3, '\0'), "AAAA"},
                                        {"\xff", "_w"}}));
  REQUIRE(base64url(row.bytes) == row.text);
}

TEST_CASE("digest: random bytes differ each time and fill the whole span", "[tls][digest]") {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    std::string bytes(16, '\0');
    random_bytes(bytes);
    seen.insert(bytes);
  }
  REQUIRE(seen.size() == 100);
  random_bytes({});
}

TEST_CASE("digest: comparison minds length and every byte", "[tls][digest]") {
  REQUIRE(equal_constant_time("", ""));
  REQUIRE(equal_constant_time("same", "same"));
  REQUIRE_FALSE(equal_constant_time("same", "sam"));
  REQUIRE_FALSE(equal_constant_time("same", "samE"));
  REQUIRE_FALSE(equal_constant_time("same", "Same"));
}

}  // namespace fairlead::tls
