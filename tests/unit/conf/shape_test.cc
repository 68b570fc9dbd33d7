#include "conf/shape.h"

#include <regex>

#include "tests/support/catch.h"

using namespace fairlead::conf;

namespace {

// The pattern of a shape that matching() made.
std::regex pattern_of(std::string_view regex) {
  std::string pattern = shape::matching(regex);
  pattern = pattern.substr(pattern.find("\"^") + 1);
  pattern.pop_back();
  std::string plain;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\' && pattern[i + 1] == '\\') ++i;
    plain += pattern[i];
  }
  return std::regex(plain);
}

}  // namespace

TEST_CASE("shape: text is quoted as JSON wants it", "[conf][shape]") {
  REQUIRE(json_quoted("") == R"("")");
  REQUIRE(json_quoted(R"(a "b" \c)") == R"("a \"b\" \\c")");
  REQUIRE(json_quoted("a\nb\tc") == R"("a\nb\u0009c")");
  REQUIRE(json_quoted("π") == "\"π\"");
}

TEST_CASE("shape: patterns fit the whole text, or one with a variable in it", "[conf][shape]") {
  struct Row {
    std::string_view regex;
    const char* text;
    bool fits;
  };

  const auto row = GENERATE(values<Row>({{shape::kDuration, "250ms", true},
                                         {shape::kDuration, "5m", true},
                                         {shape::kDuration, "1m30s", true},
                                         {shape::kDuration, "30s1m", false},
                                         {shape::kDuration, "30", false},
                                         {shape::kDuration, "", false},
                                         {shape::kDuration, "x5m", false},
                                         {shape::kDuration, "${PAUSE}", true},
                                         {shape::kDuration, "$$5", false},
                                         {shape::kSize, "64KiB", true},
                                         {shape::kSize, "64", true},
                                         {shape::kSize, "64KB", false},
                                         {shape::kEventRate, "50/s", true},
                                         {shape::kEventRate, "50", false},
                                         {shape::kEventRate, "1KiB/s", false},
                                         {shape::kByteRate, "1KiB/s", true}}));
  CAPTURE(row.regex, row.text);
  REQUIRE(std::regex_search(row.text, pattern_of(row.regex)) == row.fits);
}

TEST_CASE("shape: what a value may be", "[conf][shape]") {
  REQUIRE(shape::integer(1, 9) == R"("type":"integer","minimum":1,"maximum":9)");
  REQUIRE(shape::share() == R"("type":"number","minimum":0,"maximum":1)");
  REQUIRE(shape::words({"a", "b"}) ==
          R"("anyOf":[{"enum":["a","b"]},{"$ref":"#/definitions/variable"}])");
  REQUIRE(shape::either({shape::text(), shape::boolean()}) ==
          R"("anyOf":[{"type":"string"},{"type":"boolean"}])");
  REQUIRE(shape::list(shape::text(), true) == R"("type":"array","items":{"type":"string"})");
  REQUIRE(shape::list(shape::text(), false) ==
          R"("type":"array","items":{"type":"string"},"minItems":1)");
}
