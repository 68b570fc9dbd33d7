#include "tls/certificate_info.h"

#include <arpa/inet.h>

#include <array>
#include <memory>

#include "tls/handle.h"

namespace fairlead::tls {
namespace {

using NamesPtr = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;

std::string string_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

// 4 or 16 bytes (RFC 5280 4.2.1.6).
std::string address_of(const ASN1_STRING* bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = ASN1_STRING_length(bytes) == 4 ? AF_INET : AF_INET6;
  if (family == AF_INET6 && ASN1_STRING_length(bytes) != 16) return {};
  const char* made = inet_ntop(family, ASN1_STRING_get0_data(bytes), text.data(), text.size());
  return made == nullptr ? std::string() : made;
}

std::string name_of(const GENERAL_NAME* general) {
  int type = 0;
  const auto* value = static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(general, &type));
  if (type == GEN_DNS) return string_of(value);
  return type == GEN_IPADD ? address_of(value) : std::string();
}

std::string common_name(const X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  return string_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

}  // namespace

CertificateInfo certificate_info(const x509_st* certificate) {
  CertificateInfo info;
  if (certificate == nullptr) return info;
  const NamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  const int count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
  for (int i = 0; i < count && info.names.size() < CertificateInfo::kNames; ++i) {
    std::string name = name_of(sk_GENERAL_NAME_value(names.get(), i));
    if (!name.empty()) info.names.push_back(std::move(name));
  }
  if (info.names.empty()) {
    std::string name = common_name(certificate);
    if (!name.empty()) info.names.push_back(std::move(name));
  }
  std::tm time{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &time) == 1) info.not_after = timegm(&time);
  return info;
}

}  // namespace fairlead::tls
