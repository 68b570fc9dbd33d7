#include "tls/certificate_check.h"

#include <fstream>

#include "tests/support/certificates.h"
#include "tests/support/temp_directory.h"
#include "tls/context.h"

namespace fairlead::tls {
namespace {

using test::issue;
using test::Issued;

struct Chain {
  Issued root = issue("root", nullptr);
  Issued middle = issue("middle", &root);
  Issued leaf = issue("leaf.test", &middle);
};

struct Case : test::TempDirectory {
  CertificateCheck check(const std::string& cert, const std::string& key, long days = 0) const {
    const conf::Certificate files = put(cert, key);
    return check_certificate(files, std::time(nullptr) + days * 86'400);
  }

  conf::Certificate put(const std::string& cert, const std::string& key) const {
    const conf::Certificate files{path + "/c", path + "/k"};
    std::ofstream(files.cert, std::ios::binary) << cert;
    std::ofstream(files.key, std::ios::binary) << key;
    return files;
  }

  // What a start says to the same files.
  std::string start(const std::string& cert, const std::string& key) const {
    conf::ListenerTls settings;
    settings.certificates = {put(cert, key)};
    return ServerContext::from_files(settings).error;
  }
};

}  // namespace

TEST_CASE("certificate check: a pair that is right", "[tls][check]") {
  const Chain chain;
  const Case files;
  for (const std::string& more :
       {std::string(), chain.middle.cert_pem, chain.middle.cert_pem + chain.root.cert_pem,
        chain.root.cert_pem}) {
    const CertificateCheck found = files.check(chain.leaf.cert_pem + more, chain.leaf.key_pem);
    CHECK(found.certificate_error.empty());
    CHECK(found.key_error.empty());
    CHECK(found.warnings.empty());
  }
}

TEST_CASE("certificate check: what is wrong with a pair, as a start says it", "[tls][check]") {
  const Chain chain;
  const Issued other = issue("other", nullptr);
  const Case files;

  struct Row {
    std::string cert;
    std::string key;
    const char* certificate_error;
    const char* key_error;
  };

  const std::string good = chain.leaf.cert_pem + chain.middle.cert_pem;
  const Row rows[] = {
      {good, other.key_pem, "", "it does not belong to the certificate"},
      {good, test::encrypted(chain.leaf), "", "it is encrypted; a key without a passphrase"},
      {chain.middle.cert_pem + chain.leaf.cert_pem, chain.leaf.key_pem,
       "the key belongs to its certificate 2 (leaf.test): that one has to come first", ""},
      {chain.leaf.cert_pem + chain.root.cert_pem + chain.middle.cert_pem, chain.leaf.key_pem,
       "its chain is out of order: certificate 1 (leaf.test) was issued by certificate 3 (middle)",
       ""},
      {chain.leaf.key_pem, good, "but a private key: are cert and key swapped?",
       "but a certificate: are cert and key swapped?"},
      {test::der(chain.leaf.certificate.get()), chain.leaf.key_pem,
       "but in DER form: openssl x509 -inform DER", ""},
      {good, test::der(chain.leaf.key.get()), "", "but in DER form: openssl pkey -inform DER"},
      {"", chain.leaf.key_pem, "it is empty", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.certificate_error, row.key_error);
    const CertificateCheck found = files.check(row.cert, row.key);
    CHECK(found.certificate_error.find(row.certificate_error) != std::string::npos);
    CHECK(found.certificate_error.empty() == std::string_view(row.certificate_error).empty());
    CHECK(found.key_error.find(row.key_error) != std::string::npos);
    CHECK(found.key_error.empty() == std::string_view(row.key_error).empty());
    const std::string& first =
        found.certificate_error.empty() ? found.key_error : found.certificate_error;
    CHECK(files.start(row.cert, row.key).find(first) != std::string::npos);
  }
}

TEST_CASE("certificate check: the end of a certificate is warned of", "[tls][check]") {
  const Issued ca = issue("ca", nullptr, -400, 10);
  const Issued leaf = issue("leaf.test", &ca, -1, 30);
  const Case files;
  CHECK(files.check(leaf.cert_pem, leaf.key_pem).warnings.empty());
  CHECK(files.check(leaf.cert_pem, leaf.key_pem, 8).warnings.empty());
  const auto near = files.check(leaf.cert_pem, leaf.key_pem, 10);
  CHECK(near.certificate_error.empty());
  REQUIRE(near.warnings.size() == 1);
  CHECK(near.warnings[0].rfind("expires on ", 0) == 0);
  CHECK(near.warnings[0].find(", in 20 days") != std::string::npos);
  const auto gone = files.check(leaf.cert_pem, leaf.key_pem, 31);
  REQUIRE(gone.warnings.size() == 1);
  CHECK(gone.warnings[0].rfind("expired on ", 0) == 0);
  const auto early = files.check(leaf.cert_pem, leaf.key_pem, -5);
  REQUIRE(early.warnings.size() == 1);
  CHECK(early.warnings[0].rfind("is not valid before ", 0) == 0);
  const auto chain = files.check(leaf.cert_pem + ca.cert_pem, leaf.key_pem);
  REQUIRE(chain.warnings.size() == 1);
  CHECK(chain.warnings[0].rfind("in its chain ca expires on ", 0) == 0);
}

}  // namespace fairlead::tls
