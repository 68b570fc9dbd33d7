#pragma once
// The OpenSSL error queue as one line of text.

#include <string>

namespace fairlead::tls {

// Empties this thread's queue; "" when there is nothing in it.
std::string take_errors();

}  // namespace fairlead::tls
