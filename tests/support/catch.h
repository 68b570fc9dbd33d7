#pragma once
// The only include of Catch2: Debian 12 has v2, and v3 will be one change here.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wshadow"
#include <catch2/catch.hpp>
#pragma GCC diagnostic pop
