// The one place that compiles Catch2's main (see tests/support/catch.h).
#define CATCH_CONFIG_RUNNER
#include <csignal>

#include "tests/support/catch.h"

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // as in proxy/main.cc: splice(2) knows no MSG_NOSIGNAL
  return Catch::Session().run(argc, argv);
}
