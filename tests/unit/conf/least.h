#pragma once
// The least configuration, and what becomes of it with more lines.

#include <string>

#include "tests/support/catch.h"
#include "tests/unit/conf/memory_files.h"

namespace fairlead::conf::test {

// Line 1 to 8: the least that is a configuration.
inline const std::string kLeast = R"([[listener]]
address = "127.0.0.1:8080"
[[route]]
name = "chat"
backend = "app"
[[backend]]
name = "app"
servers = ["10.0.0.1:80"]
)";

inline LoadResult load(const std::string& text) {
  return load_text(text, "f", no_environment,
                   MemoryFiles(FileMap{{"c.pem", "cert"},
                                       {"k.pem", "key"},
                                       {"secret", "0123456789abcdef\r\n"},
                                       {"short", "0123456789abcde\n"},
                                       {"one-key", std::string(80, '\n')},
                                       {"most-keys", std::string(48 * 16, 'k')},
                                       {"too-many-keys", std::string(48 * 17, 'k')},
                                       {"no-key", std::string(79, 'k')}}));
}

inline Config good(const std::string& text) {
  const LoadResult result = load(text);
  for (const Problem& problem : result.problems) UNSCOPED_INFO(problem.text());
  REQUIRE(result.problems.empty());
  REQUIRE(result.config.has_value());
  return *result.config;
}

// The only problem of the least configuration with `lines` from line 9 on.
inline std::string problem_with(const std::string& lines) {
  const LoadResult result = load(kLeast + lines);
  REQUIRE_FALSE(result.config.has_value());
  const auto all = messages(result);
  for (const std::string& message : all) UNSCOPED_INFO(message);
  REQUIRE(all.size() == 1);
  return all.front();
}

}  // namespace fairlead::conf::test
