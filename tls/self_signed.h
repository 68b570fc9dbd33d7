#pragma once
// A throw-away certificate for the demo: EC P-256, valid 30 days, for localhost, 127.0.0.1 and ::1.

#include <string>

namespace fairlead::tls {

struct SelfSigned {
  std::string certificate;  // PEM
  std::string key;          // PEM
  std::string error;        // not empty: it could not be made
};

SelfSigned make_self_signed();

}  // namespace fairlead::tls
