// Arbitrary bytes as a configuration. Never a crash; a Config exactly where there is no problem;
// every problem has its place; the same bytes give the same answer again. No file of the machine is
// touched.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "conf/load.h"
#include "tests/unit/conf/memory_files.h"

namespace {

using namespace fairlead::conf;

void require(bool holds) {
  if (!holds) std::abort();
}

std::optional<std::string> environment(std::string_view name) {
  if (name == "NAME") return "value";
  return std::nullopt;
}

LoadResult load(std::string_view text) {
  static const test::MemoryFiles files(test::FileMap{{"a.toml", "include = [\"b.toml\"]\n"},
                                                     {"b.toml", "[log]\n"},
                                                     {"cert.pem", "x"},
                                                     {"secret", "0123456789abcdef"}});
  return load_text(text, "fuzz.toml", environment, files);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const LoadResult result = load(text);
  require(result.config.has_value() == result.problems.empty());
  for (const Problem& problem : result.problems) {
    require(!problem.message.empty() && !problem.file.empty());
    require((problem.line == 0) == (problem.column == 0));
    require(problem.text().find(problem.message) != std::string::npos);
  }
  const LoadResult again = load(text);
  require(again.problems.size() == result.problems.size() && again.hints == result.hints);
  return 0;
}
