#include "tls/self_signed.h"

#include <openssl/pem.h>

#include <array>

#include "tls/digest.h"
#include "tls/errors.h"
#include "tls/handle.h"

namespace fairlead::tls {

namespace {

constexpr long kDay = 24L * 60 * 60;
constexpr long kSkew = 60L * 60;  // a browser whose clock is behind

// What browsers ask of a server's certificate (RFC 5280 4.2.1; CA/Browser Forum 7.1.2).
bool add_extensions(X509* certificate) {
  struct Row {
    int nid;
    const char* value;
  };

  static constexpr std::array<Row, 5> kRows{{
      {NID_basic_constraints, "critical,CA:FALSE"},
      {NID_key_usage, "critical,digitalSignature"},
      {NID_ext_key_usage, "serverAuth"},
      {NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1"},
      {NID_subject_key_identifier, "hash"},
  }};
  X509V3_CTX about{};
  X509V3_set_ctx(&about, certificate, certificate, nullptr, nullptr, 0);
  for (const Row& row : kRows) {
    const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &about, row.nid, row.value));
    if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1) return false;
  }
  return true;
}

bool add_name(X509* certificate) {
  X509_NAME* name = X509_get_subject_name(certificate);
  const auto add = [name](const char* field, const char* value) {
    const auto* text = reinterpret_cast<const unsigned char*>(value);
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_ASC, text, -1, -1, 0) == 1;
  };
  return add("O", "Fairlead demo") && add("CN", "localhost") &&
         X509_set_issuer_name(certificate, name) == 1;
}

// Random, so that a browser does not take two demos' certificates for one issued twice.
bool add_serial(X509* certificate) {
  std::uint64_t number = 0;
  random_bytes({reinterpret_cast<char*>(&number), sizeof number});
  return ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), number >> 1 | 1) == 1;
}

CertificatePtr make_certificate(EVP_PKEY* key) {
  CertificatePtr certificate(X509_new());
  X509* raw = certificate.get();
  const bool made = raw != nullptr && X509_set_version(raw, X509_VERSION_3) == 1 &&
                    add_serial(raw) &&
                    X509_gmtime_adj(X509_getm_notBefore(raw), -kSkew) != nullptr &&
                    X509_gmtime_adj(X509_getm_notAfter(raw), 30 * kDay) != nullptr &&
                    X509_set_pubkey(raw, key) == 1 && add_name(raw) && add_extensions(raw) &&
                    X509_sign(raw, key, EVP_sha256()) > 0;
  return made ? std::move(certificate) : nullptr;
}

std::string contents(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

}  // namespace

SelfSigned make_self_signed() {
  SelfSigned made;
  const KeyPtr key(EVP_EC_gen("P-256"));
  const CertificatePtr certificate = key ? make_certificate(key.get()) : nullptr;
  const BioPtr certificate_pem(BIO_new(BIO_s_mem()));
  const BioPtr key_pem(BIO_new(BIO_s_secmem()));
  if (certificate && certificate_pem && key_pem &&
      PEM_write_bio_X509(certificate_pem.get(), certificate.get()) == 1 &&
      PEM_write_bio_PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) ==
          1) {
    made.certificate = contents(certificate_pem.get());
    made.key = contents(key_pem.get());
  } else {
    made.error = "cannot make a certificate: " + take_errors();
  }
  return made;
}

}  // namespace fairlead::tls
