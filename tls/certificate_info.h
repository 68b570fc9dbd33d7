#pragma once
// What an operator wants to know of a certificate.

#include <ctime>
#include <string>
#include <vector>

struct x509_st;

namespace fairlead::tls {

struct CertificateInfo {
  static constexpr std::size_t kNames = 100;

  // The DNS names and addresses it is for, at most kNames; its common name where it has none.
  std::vector<std::string> names;
  std::time_t not_after = 0;  // 0: it cannot be told
};

CertificateInfo certificate_info(const x509_st* certificate);

}  // namespace fairlead::tls
