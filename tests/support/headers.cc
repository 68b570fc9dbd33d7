// The one source of test_headers: what every test reads, parsed once (tests/CMakeLists.txt).
#include "tests/support/catch.h"
