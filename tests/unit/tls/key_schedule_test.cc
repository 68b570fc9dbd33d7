#include "tls/key_schedule.h"

#include <array>
#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/tls/hex.h"
#include "tls/direction.h"

namespace fairlead::tls {

using rig::from_hex;
using rig::to_hex;

namespace {

std::string expanded(Suite suite, const std::vector<std::uint8_t>& secret, std::string_view label,
                     std::size_t size) {
  std::vector<std::uint8_t> out(size);
  REQUIRE(expand_label(suite, secret, label, out));
  return to_hex(out);
}

// RFC 8448 3: server_application_traffic_secret_0 and client_application_traffic_secret_0.
constexpr const char* kServerSecret =
    "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643";
constexpr const char* kClientSecret =
    "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5";

// RFC 8448 3: the first records after the handshake.
constexpr const char* kTicketRecord =
    "17030300de3a6b8f90414a97d6959c3487680de5134a2b240e6cffac116e95d41d6af8f6b580dcf3d11d63c758db"
    "289a015940252f55713e061dc13e078891a38efbcf5753ad8ef170ad3c7353d16d9da773b9ca7f2b9fa1b6c0d4a3"
    "d03f75e09c30ba1e62972ac46f75f7b981be63439b2999ce13064615139891d5e4c5b406f16e3fc181a77ca47584"
    "0025db2f0a77f81b5ab05b94c01346755f69232c86519d86cbeeac87aac347d143f9605d64f650db4d023e70e952"
    "ca49fe5137121c74bc2697687e248746d6df353005f3bce18696129c8153556b3b6c6779b37bf15985684f";
constexpr const char* kClientRecord =
    "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a2044"
    "1e2b62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4";
constexpr const char* kServerRecord =
    "17030300432e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e30efaf97d90e6dffc602dcb501a"
    "59a8fcc49c4bf2e5f0a21c0047c2abf332540dd032e167c2955d";

}  // namespace

TEST_CASE("key schedule: the traffic keys of RFC 8448", "[tls][keys]") {
  const Suite suite = Suite::aes_128_gcm_sha256;
  REQUIRE(expanded(suite, from_hex(kServerSecret), "key", 16) ==
          "9f02283b6c9c07efc26bb9f2ac92e356");
  REQUIRE(expanded(suite, from_hex(kServerSecret), "iv", 12) == "cf782b88dd83549aadf1e984");
  REQUIRE(expanded(suite, from_hex(kClientSecret), "key", 16) ==
          "17422dda596ed5d9acd890e3c63f5051");
  REQUIRE(expanded(suite, from_hex(kClientSecret), "iv", 12) == "5b78923dee08579033e523d9");
}

TEST_CASE("key schedule: suites by their numbers", "[tls][keys]") {
  REQUIRE(suite_of(0x1301) == Suite::aes_128_gcm_sha256);
  REQUIRE(suite_of(0x1302) == Suite::aes_256_gcm_sha384);
  REQUIRE(suite_of(0x1303) == Suite::chacha20_poly1305_sha256);
  for (const int other : {0, 0x1300, 0x1304, 0x1305, 0xc02b}) {
    REQUIRE_FALSE(suite_of(static_cast<std::uint16_t>(other)));
  }
}

TEST_CASE("direction: the records of RFC 8448 open", "[tls][records]") {
  struct Row {
    const char* secret;
    const char* record;
    std::uint64_t number;
    std::uint8_t type;
  };

  const Row row = GENERATE(values<Row>({{kServerSecret, kTicketRecord, 0, 22},
                                        {kClientSecret, kClientRecord, 0, 23},
                                        {kServerSecret, kServerRecord, 1, 23}}));
  Direction direction;
  REQUIRE(direction.start(Suite::aes_128_gcm_sha256, Use::open, from_hex(row.secret), row.number));
  const std::vector<std::uint8_t> bytes = from_hex(row.record);
  const std::string record(bytes.begin(), bytes.end());
  std::string inner(record.size() - 21, 'x');
  REQUIRE(direction.open(record, inner.data()));
  REQUIRE(static_cast<std::uint8_t>(inner.back()) == row.type);
  inner.pop_back();
  if (row.type == 23) {
    REQUIRE(inner.size() == 50);
    for (std::size_t i = 0; i < inner.size(); ++i) REQUIRE(inner[i] == static_cast<char>(i));
  } else {
    REQUIRE(inner.substr(0, 4) == std::string("\x04\0\0\xc9", 4));  // a NewSessionTicket
  }
}

TEST_CASE("direction: the records of RFC 8448 are sealed to the byte", "[tls][records]") {
  std::string text(50, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i);
  Direction client;
  Direction server;
  const Suite suite = Suite::aes_128_gcm_sha256;
  REQUIRE(client.start(suite, Use::seal, from_hex(kClientSecret), 0));
  REQUIRE(server.start(suite, Use::seal, from_hex(kServerSecret), 1));
  std::string out = "kept";
  REQUIRE(client.seal(23, text, out));
  REQUIRE(to_hex({out.begin() + 4, out.end()}) == kClientRecord);
  out.clear();
  REQUIRE(server.seal(23, text, out));
  REQUIRE(to_hex({out.begin(), out.end()}) == kServerRecord);
  REQUIRE(server.sequence() == 2);
}

TEST_CASE("direction: what was sealed opens, of every suite and over updates", "[tls][records]") {
  for (const Suite suite :
       {Suite::aes_128_gcm_sha256, Suite::aes_256_gcm_sha384, Suite::chacha20_poly1305_sha256}) {
    const std::vector<std::uint8_t> secret(secret_size(suite), 7);
    Direction seals;
    Direction opens;
    REQUIRE(seals.start(suite, Use::seal, secret, 3));
    REQUIRE(opens.start(suite, Use::open, secret, 3));
    for (int round = 0; round < 3; ++round) {
      for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{16384}}) {
        std::string record;
        REQUIRE(seals.seal(23, std::string(size, 'p'), record));
        std::string inner(size + 1, 'x');
        REQUIRE(opens.open(record, inner.data()));
        REQUIRE(inner == std::string(size, 'p') + '\x17');
        REQUIRE_FALSE(opens.open(record, inner.data()));  // once only: the number went on
        REQUIRE(inner == std::string(size + 1, '\0'));
      }
      REQUIRE(seals.update());
      REQUIRE(opens.update());
      REQUIRE(seals.sequence() == 0);
    }
  }
}

TEST_CASE("direction: a number never wraps", "[tls][records]") {
  Direction direction;
  const std::vector<std::uint8_t> secret(32, 7);
  const std::uint64_t last = ~std::uint64_t{0} - 1;
  REQUIRE(direction.start(Suite::aes_128_gcm_sha256, Use::seal, secret, last));
  std::string out;
  REQUIRE(direction.seal(23, std::string("x"), out));
  const std::string once = out;
  REQUIRE_FALSE(direction.seal(23, std::string("x"), out));
  REQUIRE(out == once);
}

TEST_CASE("direction: stopped, it does nothing", "[tls][records]") {
  Direction direction;
  std::string out;
  REQUIRE_FALSE(direction.seal(23, std::string("x"), out));
  const std::vector<std::uint8_t> secret(32, 7);
  REQUIRE(direction.start(Suite::aes_128_gcm_sha256, Use::seal, secret, 0));
  direction.stop();
  REQUIRE_FALSE(direction.seal(23, std::string("x"), out));
  REQUIRE_FALSE(direction.update());
  REQUIRE(out.empty());
}

}  // namespace fairlead::tls
