#pragma once
// What is to be said of a certificate and its key before they are served.

#include <ctime>
#include <string>
#include <vector>

#include "conf/config.h"

namespace fairlead::tls {

// Certificates that end sooner are warned of: time enough for a renewal by hand.
inline constexpr int kExpiryDays = 21;

struct CertificateCheck {
  // What a start refuses, one line each without the file's name; "": nothing.
  std::string certificate_error;
  std::string key_error;
  // Of the certificates: what clients will refuse, now or within kExpiryDays.
  std::vector<std::string> warnings;
};

// Reads both files. `now`: seconds since 1970.
CertificateCheck check_certificate(const conf::Certificate& files, std::time_t now);

}  // namespace fairlead::tls
