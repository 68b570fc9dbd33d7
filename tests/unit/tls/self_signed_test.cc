#include "tls/self_signed.h"

#include <openssl/pem.h>

#include "tests/support/catch.h"
#include "tls/handle.h"

namespace fairlead::tls {

TEST_CASE("self_signed: a browser finds all it asks for", "[tls][self_signed]") {
  const SelfSigned made = make_self_signed();
  REQUIRE(made.error.empty());
  const BioPtr text(BIO_new_mem_buf(made.certificate.data(), -1));
  const CertificatePtr certificate(PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr));
  REQUIRE(certificate);
  X509* raw = certificate.get();

  REQUIRE(X509_get_version(raw) == X509_VERSION_3);
  REQUIRE(X509_check_host(raw, "localhost", 0, 0, nullptr) == 1);
  REQUIRE(X509_check_host(raw, "example.com", 0, 0, nullptr) == 0);
  REQUIRE(X509_check_ip_asc(raw, "127.0.0.1", 0) == 1);
  REQUIRE(X509_check_ip_asc(raw, "::1", 0) == 1);
  REQUIRE(X509_get_key_usage(raw) == KU_DIGITAL_SIGNATURE);
  REQUIRE(X509_get_extended_key_usage(raw) == XKU_SSL_SERVER);
  REQUIRE(X509_check_ca(raw) == 0);
  REQUIRE(X509_verify(raw, X509_get0_pubkey(raw)) == 1);

  int days = 0;
  int seconds = 0;
  REQUIRE(X509_cmp_current_time(X509_get0_notBefore(raw)) < 0);
  REQUIRE(ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(raw)) == 1);
  REQUIRE(days >= 29);
  REQUIRE(days <= 30);

  const BioPtr key_text(BIO_new_mem_buf(made.key.data(), -1));
  const KeyPtr key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr));
  REQUIRE(key);
  REQUIRE(X509_check_private_key(raw, key.get()) == 1);
}

TEST_CASE("self_signed: no two are alike", "[tls][self_signed]") {
  const SelfSigned one = make_self_signed();
  const SelfSigned two = make_self_signed();
  REQUIRE(one.certificate != two.certificate);
  REQUIRE(one.key != two.key);
}

}  // namespace fairlead::tls
