#pragma once

#include <cstdint>

namespace fairlead::tls {

// What a step of a TLS connection came to.
enum class Status : std::uint8_t {
  ok,
  want_input,  // everything fed was used up; feed more
  closed,      // the peer sent close_notify: nothing more will come
  error,       // the connection is unusable; there is a line that says why
};

}  // namespace fairlead::tls
