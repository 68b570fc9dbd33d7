#pragma once
// The configuration as a JSON Schema (draft 7), for editors that complete and check TOML.

#include <string>

namespace fairlead::conf {

// The whole of fairlead.toml, indented. What it refuses `fairlead check` refuses too; not the other
// way round: ranges of durations, names that dangle and files are beyond it.
std::string json_schema();

}  // namespace fairlead::conf
