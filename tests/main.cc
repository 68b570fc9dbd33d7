// The one place that compiles Catch2's main (see tests/support/catch.h).
#define CATCH_CONFIG_MAIN
#include "tests/support/catch.h"
