#include "tls/key_pair.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include "tls/certificate_info.h"
#include "tls/errors.h"

namespace fairlead::tls {
namespace {

constexpr std::size_t kMaxPemBytes = 1024 * 1024;
constexpr std::string_view kCertificate = "CERTIFICATE-----";
constexpr std::string_view kPrivateKey = "PRIVATE KEY-----";

bool holds(const std::string& text, std::string_view what) {
  return text.find(what) != std::string::npos;
}

BioPtr bio_of(const std::string& text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// True, and forgotten, when the last error says only that the PEM text ended.
bool pem_ended() {
  const unsigned long error = ERR_peek_last_error();
  if (ERR_GET_LIB(error) != ERR_LIB_PEM || ERR_GET_REASON(error) != PEM_R_NO_START_LINE) {
    return false;
  }
  ERR_clear_error();
  return true;
}

// Why there is no certificate in the text.
std::string no_certificate(const std::string& text) {
  const std::string none = "it holds no certificate in PEM form";
  if (holds(text, kPrivateKey)) return none + " but a private key: are cert and key swapped?";
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  const CertificatePtr der(d2i_X509(nullptr, &bytes, static_cast<long>(text.size())));
  ERR_clear_error();
  if (der) return none + " but in DER form: openssl x509 -inform DER -in FILE -out FILE.pem";
  return none;
}

// Why there is no key in it.
std::string no_key(const std::string& text) {
  const std::string none = "it holds no private key in PEM form";
  if (holds(text, kCertificate)) return none + " but a certificate: are cert and key swapped?";
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  const KeyPtr der(d2i_AutoPrivateKey(nullptr, &bytes, static_cast<long>(text.size())));
  ERR_clear_error();
  if (der) return none + " but in DER form: openssl pkey -inform DER -in FILE -out FILE.pem";
  return none;
}

// As SSL_CTX_use_certificate_chain_file does: the certificate, then the chain up to the root. ""
// or what is wrong.
std::string read_chain(const std::string& pem, KeyPair& pair) {
  const BioPtr text = bio_of(pem);
  if (!text) return take_errors();
  pair.leaf.reset(PEM_read_bio_X509_AUX(text.get(), nullptr, nullptr, nullptr));
  if (!pair.leaf) return pem_ended() ? no_certificate(pem) : take_errors();
  for (;;) {
    CertificatePtr next(PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr));
    if (!next) return pem_ended() ? std::string() : "in its chain: " + take_errors();
    pair.chain.push_back(std::move(next));
  }
}

// OpenSSL's question for a passphrase: never answered, so that a start cannot wait for a terminal.
int note_question(char* /*out*/, int /*size*/, int /*writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

std::string read_key(const std::string& pem, KeyPair& pair) {
  const BioPtr text = bio_of(pem);
  if (!text) return take_errors();
  bool asked = false;
  pair.key.reset(PEM_read_bio_PrivateKey(text.get(), nullptr, note_question, &asked));
  if (asked) {
    ERR_clear_error();
    return "it is encrypted; a key without a passphrase is needed";
  }
  if (pair.key) return {};
  // A file without any key ends in the decoder's own code for it.
  const std::string why = pem_ended() ? std::string() : take_errors();
  return holds(pem, kPrivateKey) ? "the private key is damaged: " + why : no_key(pem);
}

bool belongs(X509* certificate, EVP_PKEY* key) {
  const bool same = X509_check_private_key(certificate, key) == 1;
  ERR_clear_error();
  return same;
}

bool issued(const X509* issuer, const X509* certificate) {
  return X509_NAME_cmp(X509_get_subject_name(issuer), X509_get_issuer_name(certificate)) == 0;
}

// The key is another certificate's of the file, or of none.
void blame_mismatch(KeyPair& pair) {
  for (std::size_t i = 0; i < pair.chain.size(); ++i) {
    if (!belongs(pair.chain[i].get(), pair.key.get())) continue;
    pair.certificate_error = "the key belongs to its certificate " + std::to_string(i + 2) + " (" +
                             short_name(pair.chain[i].get()) +
                             "): that one has to come first, then the chain";
    return;
  }
  pair.key_error = "it does not belong to the certificate";
}

// Who issued a certificate has to follow it, if it is there at all.
std::string order_error(const KeyPair& pair) {
  std::vector<const X509*> all{pair.leaf.get()};
  for (const CertificatePtr& one : pair.chain) all.push_back(one.get());
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    if (issued(all[i + 1], all[i]) || issued(all[i], all[i])) continue;
    for (std::size_t j = 0; j < all.size(); ++j) {
      if (j == i || !issued(all[j], all[i])) continue;
      return "its chain is out of order: certificate " + std::to_string(i + 1) + " (" +
             short_name(all[i]) + ") was issued by certificate " + std::to_string(j + 1) + " (" +
             short_name(all[j]) + "), which has to follow it";
    }
  }
  return {};
}

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

KeyPair read_key_pair(const std::string& certificate, const std::string& key) {
  ERR_clear_error();
  KeyPair pair;
  pair.certificate_error = read_chain(certificate, pair);
  pair.key_error = read_key(key, pair);
  if (!pair.good()) return pair;
  if (!belongs(pair.leaf.get(), pair.key.get())) {
    blame_mismatch(pair);
  } else {
    pair.certificate_error = order_error(pair);
  }
  return pair;
}

std::string short_name(const X509* certificate) {
  const CertificateInfo info = certificate_info(certificate);
  return info.names.empty() ? "without a name" : info.names.front();
}

std::string read_pem_file(const std::string& path, std::string& text) {
  const auto why = [] { return "cannot read it: " + std::generic_category().message(errno); };
  const std::unique_ptr<std::FILE, FileCloser> file(std::fopen(path.c_str(), "rbe"));
  if (!file) return why();
  std::array<char, 4096> part{};
  while (const std::size_t got = std::fread(part.data(), 1, part.size(), file.get())) {
    text.append(part.data(), got);
    if (text.size() > kMaxPemBytes) return "it is larger than 1 MiB";
  }
  OPENSSL_cleanse(part.data(), part.size());
  if (std::ferror(file.get()) != 0) return why();
  return text.empty() ? "it is empty" : std::string();
}

}  // namespace fairlead::tls
