#pragma once
// Certificates of a test's own, each with its key, issued by one another.

#include <openssl/pem.h>

#include <string>

#include "tests/support/catch.h"
#include "tls/handle.h"

namespace fairlead::test {

struct Issued {
  tls::CertificatePtr certificate;
  tls::KeyPtr key;
  std::string cert_pem;
  std::string key_pem;
};

inline std::string bytes_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

// `issuer`: null is the certificate itself. Valid from `from` to `to`, days from now.
inline Issued issue(const std::string& name, const Issued* issuer, long from = -1, long to = 90) {
  constexpr long kDay = 86'400;
  Issued made;
  made.key.reset(EVP_EC_gen("P-256"));
  made.certificate.reset(X509_new());
  X509* raw = made.certificate.get();
  X509_set_version(raw, X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(raw), 1);
  X509_gmtime_adj(X509_getm_notBefore(raw), from * kDay);
  X509_gmtime_adj(X509_getm_notAfter(raw), to * kDay + 3600);
  X509_set_pubkey(raw, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(raw), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  const Issued& by = issuer != nullptr ? *issuer : made;
  X509_set_issuer_name(raw, X509_get_subject_name(by.certificate.get()));
  REQUIRE(X509_sign(raw, by.key.get(), EVP_sha256()) > 0);
  const tls::BioPtr cert(BIO_new(BIO_s_mem()));
  const tls::BioPtr key(BIO_new(BIO_s_mem()));
  REQUIRE(PEM_write_bio_X509(cert.get(), raw) == 1);
  REQUIRE(PEM_write_bio_PrivateKey(key.get(), made.key.get(), nullptr, nullptr, 0, nullptr,
                                   nullptr) == 1);
  made.cert_pem = bytes_of(cert.get());
  made.key_pem = bytes_of(key.get());
  return made;
}

inline std::string encrypted(const Issued& from) {
  const tls::BioPtr bio(BIO_new(BIO_s_mem()));
  std::string pass = "secret";
  REQUIRE(PEM_write_bio_PKCS8PrivateKey(bio.get(), from.key.get(), EVP_aes_128_cbc(), pass.data(),
                                        static_cast<int>(pass.size()), nullptr, nullptr) == 1);
  return bytes_of(bio.get());
}

inline std::string der(const X509* certificate) {
  const tls::BioPtr bio(BIO_new(BIO_s_mem()));
  REQUIRE(i2d_X509_bio(bio.get(), certificate) == 1);
  return bytes_of(bio.get());
}

inline std::string der(const EVP_PKEY* key) {
  const tls::BioPtr bio(BIO_new(BIO_s_mem()));
  REQUIRE(i2d_PrivateKey_bio(bio.get(), key) == 1);
  return bytes_of(bio.get());
}

}  // namespace fairlead::test
