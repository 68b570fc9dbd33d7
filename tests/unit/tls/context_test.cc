#include "tls/context.h"

#include <openssl/pem.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/tls/rig.h"
#include "tls/handle.h"
#include "tls/self_signed.h"

namespace fairlead::tls::rig {

namespace {

// A folder for the files of one test.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "fairlead-tls-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }

  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string put(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return (path_ / name).string();
  }

  std::string path(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

ServerContext::Made load(const std::string& cert, const std::string& key) {
  conf::ListenerTls settings;
  settings.certificates.push_back({cert, key});
  return ServerContext::from_files(settings);
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

KeyPtr key_of(const std::string& pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return KeyPtr(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

std::string encrypted(const std::string& pem) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  const KeyPtr key = key_of(pem);
  std::string pass = "secret";
  REQUIRE(PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), EVP_aes_128_cbc(), pass.data(),
                                        static_cast<int>(pass.size()), nullptr, nullptr) == 1);
  return text_of(bio.get());
}

std::string expired(const SelfSigned& from) {
  const BioPtr in(BIO_new_mem_buf(from.certificate.data(), -1));
  const CertificatePtr old(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
  X509_gmtime_adj(X509_getm_notBefore(old.get()), -7200);
  X509_gmtime_adj(X509_getm_notAfter(old.get()), -3600);
  REQUIRE(X509_sign(old.get(), key_of(from.key).get(), EVP_sha256()) > 0);
  const BioPtr out(BIO_new(BIO_s_mem()));
  REQUIRE(PEM_write_bio_X509(out.get(), old.get()) == 1);
  return text_of(out.get());
}

void require_one_line(const std::string& error) {
  CAPTURE(error);
  REQUIRE_FALSE(error.empty());
  REQUIRE(error.find('\n') == std::string::npos);
}

}  // namespace

TEST_CASE("context: a certificate and its key load from files", "[tls][context]") {
  const Folder folder;
  const auto made =
      load(folder.put("c.pem", certificate().certificate), folder.put("k.pem", certificate().key));
  REQUIRE(made.error.empty());
  REQUIRE(made.context);
  Side up = server(*made.context);
  Side down = client();
  shake(down, up);
  REQUIRE(up.ready);
}

TEST_CASE("context: its certificate's names and expiry can be told", "[tls][context]") {
  const SelfSigned made = make_self_signed();
  const auto context = ServerContext::from_pem(made.certificate, made.key, {});
  REQUIRE(context.context);
  const CertificateInfo& info = context.context->certificate();
  CHECK(info.names == std::vector<std::string>{"localhost", "127.0.0.1", "::1"});
  const std::time_t days = (info.not_after - std::time(nullptr)) / 86400;
  CHECK(days >= 29);
  CHECK(days <= 30);
  CHECK(certificate_info(nullptr).names.empty());
}

TEST_CASE("context: one file may hold both", "[tls][context]") {
  const Folder folder;
  const std::string both =
      folder.put("both.pem", certificate().key + "notes between\n" + certificate().certificate);
  const auto made = load(both, both);
  REQUIRE(made.error == "");
}

TEST_CASE("context: the chain behind the certificate is sent", "[tls][context]") {
  const Folder folder;
  const SelfSigned issuer = make_self_signed();
  const auto made = load(folder.put("c.pem", certificate().certificate + issuer.certificate),
                         folder.put("k.pem", certificate().key));
  REQUIRE(made.error == "");
  Side up = server(*made.context);
  RawClient down({});
  shake(down, up);
  REQUIRE(up.ready);
  REQUIRE(sk_X509_num(SSL_get_peer_cert_chain(down.ssl())) == 2);
}

TEST_CASE("context: an expired certificate is no error", "[tls][context]") {
  const Folder folder;
  const auto made =
      load(folder.put("c.pem", expired(certificate())), folder.put("k.pem", certificate().key));
  REQUIRE(made.error == "");
}

TEST_CASE("context: what is wrong with a file is said in one line", "[tls][context]") {
  const Folder folder;
  const std::string cert = folder.put("c.pem", certificate().certificate);
  const std::string key = folder.put("k.pem", certificate().key);
  const std::string empty = folder.put("empty.pem", "");
  const std::string words = folder.put("words.pem", "no PEM at all\n");
  const std::string locked = folder.put("locked.pem", encrypted(certificate().key));
  const std::string foreign = folder.put("foreign.pem", make_self_signed().key);
  const std::string huge = folder.put("huge.pem", std::string(1024 * 1024 + 1, 'x'));
  std::string cut = certificate().certificate;
  const std::string broken_cert = folder.put("broken.pem", cut.replace(60, 4, "!!!!"));
  cut = certificate().key;
  const std::string broken_key =
      folder.put("brokenkey.pem", cut.replace(40, 40, std::string(40, 'A')));
  const std::string no_cert = "it holds no certificate in PEM form";
  const std::string no_key = "it holds no private key in PEM form";

  struct Row {
    const char* what;
    std::string cert, key, name, line;
  };

  const std::vector<Row> rows = {
      {"certificate", folder.path("none"), key, folder.path("none"),
       "cannot read it: No such file or directory"},
      {"key", cert, folder.path("none"), folder.path("none"),
       "cannot read it: No such file or directory"},
      {"certificate", folder.path(""), key, folder.path(""), "cannot read it: Is a directory"},
      {"certificate", empty, key, empty, "it is empty"},
      {"key", cert, empty, empty, "it is empty"},
      {"certificate", words, key, words, no_cert},
      {"key", cert, words, words, no_key},
      {"certificate", key, key, key, no_cert + " but a private key: are cert and key swapped?"},
      {"key", cert, cert, cert, no_key + " but a certificate: are cert and key swapped?"},
      {"key", cert, locked, locked, "it is encrypted; a key without a passphrase is needed"},
      {"key", cert, foreign, foreign, "it does not belong to the certificate"},
      {"certificate", huge, key, huge, "it is larger than 1 MiB"},
  };
  for (const Row& row : rows) {
    const auto made = load(row.cert, row.key);
    REQUIRE_FALSE(made.context);
    REQUIRE(made.error == std::string(row.what) + " \"" + row.name + "\": " + row.line);
  }
  const auto bad_cert = load(broken_cert, key);
  REQUIRE_FALSE(bad_cert.context);
  require_one_line(bad_cert.error);
  const auto bad_key = load(cert, broken_key);
  REQUIRE_FALSE(bad_key.context);
  require_one_line(bad_key.error);
  REQUIRE(bad_key.error.find("is damaged") != std::string::npos);
}

TEST_CASE("context: a chain that breaks off half way is an error", "[tls][context]") {
  std::string chain = certificate().certificate + certificate().certificate;
  chain.resize(chain.size() - 40);
  const auto made = ServerContext::from_pem(chain, certificate().key, Version::tls12);
  REQUIRE_FALSE(made.context);
  require_one_line(made.error);
  REQUIRE(made.error.rfind("certificate: in its chain: ", 0) == 0);
}

TEST_CASE("context: exactly one certificate for now", "[tls][context]") {
  REQUIRE(ServerContext::from_files({}).error == "exactly one certificate is needed");
}

TEST_CASE("context: only the listed suites are spoken with TLS 1.2", "[tls][context]") {
  const auto of = context();

  struct Row {
    const char* suite;
    bool fine;
  };

  const Row row = GENERATE(values<Row>({{"ECDHE-ECDSA-AES128-GCM-SHA256", true},
                                        {"ECDHE-ECDSA-AES256-GCM-SHA384", true},
                                        {"ECDHE-ECDSA-CHACHA20-POLY1305", true},
                                        {"ECDHE-ECDSA-AES128-SHA", false},
                                        {"ECDHE-ECDSA-AES256-SHA384", false},
                                        {"ECDHE-ECDSA-AES128-CCM", false}}));
  CAPTURE(row.suite);
  Side up = server(*of);
  RawClient down({.version = TLS1_2_VERSION});
  REQUIRE(SSL_set_cipher_list(down.ssl(), row.suite) == 1);
  shake(down, up);
  REQUIRE(up.ready == row.fine);
  if (!row.fine) REQUIRE(up.engine->last_error() == "no shared cipher");
}

TEST_CASE("context: only the listed groups are spoken", "[tls][context]") {
  const auto of = context();

  struct Row {
    const char* group;
    bool fine;
  };

  const Row row =
      GENERATE(values<Row>({{"X25519", true}, {"P-256", true}, {"P-384", true}, {"P-521", false}}));
  CAPTURE(row.group);
  Side up = server(*of);
  RawClient down({});
  REQUIRE(SSL_set1_groups_list(down.ssl(), row.group) == 1);
  shake(down, up);
  REQUIRE(up.ready == row.fine);
  if (!row.fine) REQUIRE(up.engine->last_error() == "no suitable key share");
}

TEST_CASE("context: with the one before given, its tickets stay good", "[tls][context][resume]") {
  const Folder folder;
  const auto first =
      load(folder.put("c.pem", certificate().certificate), folder.put("k.pem", certificate().key));
  REQUIRE(first.context);
  const SelfSigned renewed = make_self_signed();
  conf::ListenerTls settings;
  settings.certificates.push_back(
      {folder.put("c2.pem", renewed.certificate), folder.put("k2.pem", renewed.key)});
  const auto second = ServerContext::from_files(settings, first.context.get());
  REQUIRE(second.error == "");
  const auto stranger = ServerContext::from_files(settings);
  REQUIRE(stranger.context);
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  RawClient::Options options;
  options.version = version;
  RawClient before(options);
  Side up = server(*first.context);
  shake(before, up);
  REQUIRE(before.session() != nullptr);
  SSL_SESSION* const copy = SSL_SESSION_dup(before.session());
  options.session = before.session();
  RawClient after(options);
  Side next = server(*second.context);
  shake(after, next);
  CHECK(next.engine->resumed());
  options.session = copy;
  RawClient elsewhere(options);
  Side other = server(*stranger.context);
  shake(elsewhere, other);
  CHECK_FALSE(other.engine->resumed());
  SSL_SESSION_free(copy);
}

}  // namespace fairlead::tls::rig
