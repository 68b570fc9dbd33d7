#pragma once
// `fairlead tap`: a session's frames as they pass.

#include <cstdint>
#include <string>

#include "proxy/remote/commands.h"

namespace fairlead::remote {

struct TapOptions {
  std::string session;  // its conn_id
  unsigned bytes = 0;   // of each payload, 256 at most
  std::string pcapng;   // a file to write; "": lines to the terminal
};

// Until the session ends, the other end of the pipe is closed, or a signal ends the process.
int tap(const Target& target, const TapOptions& options);

}  // namespace fairlead::remote
