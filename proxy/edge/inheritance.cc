#include "proxy/edge/inheritance.h"

#include <unistd.h>

#include <cstdlib>

extern char** environ;  // NOLINT: POSIX names it

namespace fairlead::edge {

Inheritance Inheritance::take(net::Program program) {
  Inheritance taken;
  taken.manager = ServiceManager::from_environment();
  taken.predecessor = Predecessor::from_environment();
  const net::Announced announced =
      net::parse_announced(getpid(), std::getenv("LISTEN_PID"), std::getenv("LISTEN_FDS"),
                           std::getenv("LISTEN_FDNAMES"), taken.predecessor != nullptr);
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) unsetenv(name);
  taken.sockets = net::Inherited(announced);
  if (taken.heirloom() != nullptr) taken.sockets.set_written(taken.heirloom()->addresses());
  for (char** variable = environ; *variable != nullptr; ++variable)
    program.environment.emplace_back(*variable);
  taken.program = std::move(program);
  return taken;
}

}  // namespace fairlead::edge
