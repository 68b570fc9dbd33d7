#include "tls/certificate_check.h"

#include <openssl/crypto.h>

#include <array>

#include "tls/key_pair.h"

namespace fairlead::tls {
namespace {

constexpr std::time_t kDay = 86'400;

std::string day_of(std::time_t time) {
  std::tm parts{};
  gmtime_r(&time, &parts);
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &parts);
  return {text.data(), size};
}

std::time_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? timegm(&parts) : 0;
}

// `who`: "" or "its chain's certificate NAME ".
void judge_times(const X509* certificate, const std::string& who, std::time_t now,
                 std::vector<std::string>& out) {
  const std::time_t begin = seconds_of(X509_get0_notBefore(certificate));
  const std::time_t end = seconds_of(X509_get0_notAfter(certificate));
  if (end != 0 && end <= now) {
    out.push_back(who + "expired on " + day_of(end) + ": clients refuse it");
  } else if (end != 0 && end - now <= kExpiryDays * kDay) {
    const auto days = (end - now) / kDay;
    out.push_back(who + "expires on " + day_of(end) + ", in " + std::to_string(days) +
                  (days == 1 ? " day" : " days"));
  }
  if (begin > now) out.push_back(who + "is not valid before " + day_of(begin));
}

}  // namespace

CertificateCheck check_certificate(const conf::Certificate& files, std::time_t now) {
  CertificateCheck check;
  std::string certificate;
  std::string key;
  check.certificate_error = read_pem_file(files.cert, certificate);
  check.key_error = read_pem_file(files.key, key);
  if (check.certificate_error.empty() && check.key_error.empty()) {
    const KeyPair pair = read_key_pair(certificate, key);
    check.certificate_error = pair.certificate_error;
    check.key_error = pair.key_error;
    if (pair.leaf) judge_times(pair.leaf.get(), "", now, check.warnings);
    for (const CertificatePtr& one : pair.chain)
      judge_times(one.get(), "in its chain " + short_name(one.get()) + " ", now, check.warnings);
  }
  OPENSSL_cleanse(key.data(), key.size());
  return check;
}

}  // namespace fairlead::tls
