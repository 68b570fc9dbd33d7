#include "proxy/wire/path.h"

#include <random>
#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace fairlead::wire {

TEST_CASE("path: its normal form", "[wire][path]") {
  struct Row {
    const char* path;
    const char* want;
  };

  const auto row = GENERATE(values<Row>({
      {"/", "/"},
      {"/a", "/a"},
      {"/a/", "/a/"},
      {"/a/b.c/d~e", "/a/b.c/d~e"},
      {"/.well-known/x", "/.well-known/x"},
      {"/...", "/..."},
      {"/a/..b", "/a/..b"},
      {"/%41%7a%30%2D%2e%5f%7E", "/Az0-._~"},
      {"/%2f%3a%c3%A4", "/%2F%3A%C3%A4"},
      {"/%2541", "/%2541"},
      {"/%5c", "/%5C"},
      {"/%01%7f%ff", "/%01%7F%FF"},
      {"//", "/"},
      {"//a///b//", "/a/b/"},
      {"/.", "/"},
      {"/..", "/"},
      {"/a/.", "/a/"},
      {"/a/..", "/"},
      {"/a/b/..", "/a/"},
      {"/a/b/../..", "/"},
      {"/../../a", "/a"},
      {"/a/./b/../../c", "/c"},
      {"/a//b/..", "/a/"},
      {"//../a", "/a"},
      {"//a/../../b", "/b"},
      {"/a/%2e%2e/b", "/b"},
      {"/a/.%2E/%2e/b", "/b"},
      {"/a\\b", "/a/b"},
      {"/\\\\a\\.\\b", "/a/b"},
      {"/a;x/..;/b", "/a;x/..;/b"},
  }));
  CAPTURE(row.path);
  const NormalPath path(row.path);
  REQUIRE(path.ok());
  CHECK(path.text() == row.want);
  // What is normal stays as it is, and where nothing suggests otherwise it is not even copied.
  const std::string once(path.text());
  CHECK(NormalPath(once).text() == once);
}

TEST_CASE("path: nothing is copied of a normal one", "[wire][path]") {
  const std::string_view path = "/a/b.c/d_e~f-g/x;y=z@1:2,3";
  CHECK(NormalPath(path).text().data() == path.data());
}

TEST_CASE("path: what no server reads in one way", "[wire][path]") {
  for (const char* path :
       {"/%", "/a%", "/a%4", "/a%4/b", "/%zz", "/%4g", "/%00", "/a/%00/../b", "/a//../b",
        "/a//./%2e%2E/b", "/a//b/../../c", "/a/b\\..\\..\\c", "/a/../b\\c"}) {
    CAPTURE(path);
    CHECK_FALSE(NormalPath(path).ok());
  }
}

TEST_CASE("path: what stands behind a prefix never begins with a slash", "[wire][path]") {
  struct Row {
    const char* prefix;
    const char* path;
    const char* want;  // null: the prefix does not take it
  };

  const auto row = GENERATE(values<Row>({
      {"/a", "/a", ""},
      {"/a", "/a/", ""},
      {"/a/", "/a/b/", "b/"},
      {"/a/b", "/a/b/c", "c"},
      {"/a", "/ab", nullptr},
      {"/a", "/b", nullptr},
      {"/a", "/a/../b", nullptr},
      {"/a", "/a%2fb", nullptr},
      {"/a", "/%00a", nullptr},
      {"/a", "/a//b", "b"},
      {"/a", "/a/./%2e/b", "b"},
      {"/a", "/a\\\\b\\c", "b\\c"},
      {"/a", "//a/b//c", "b//c"},
      {"/a", "/a/b/../c", "c"},
      {"/a", "/a/b/c/../d", "b/c/../d"},
      {"/a", "/a/../a/b", "b"},
      {"/%61/b", "/a/%62/c", "c"},
      {"/a/./b/..", "/a/c", "c"},
  }));
  CAPTURE(row.prefix, row.path);
  const auto got = behind_prefix(row.path, row.prefix);
  REQUIRE(got.has_value() == (row.want != nullptr));
  if (got) CHECK(*got == row.want);
}

// As a server sees it that takes a backslash for a slash or for a letter, and that merges slashes
// before it removes dots or does not.
static std::string seen(const std::string& path, bool backslash_is_slash, bool merge_first) {
  std::vector<std::string> kept;
  std::string segment;
  const auto end_segment = [&](bool last) {
    for (std::size_t at = 0; (at = segment.find('%', at)) != std::string::npos; ++at) {
      const std::string byte = segment.substr(at, 3);
      if (byte == "%61") segment.replace(at, 3, "a");
      if (byte == "%2e" || byte == "%2E") segment.replace(at, 3, ".");
    }
    const bool dots = segment == "." || segment == "..";
    if (segment == ".." && !kept.empty()) kept.pop_back();
    if ((dots && last) || (!dots && !(segment.empty() && merge_first && !last)))
      kept.push_back(dots ? "" : segment);
    segment.clear();
  };
  for (const char c : path.substr(1)) {
    if (c == '/' || (c == '\\' && backslash_is_slash))
      end_segment(false);
    else
      segment += c;
  }
  end_segment(true);
  std::string text;
  for (std::size_t i = 0; i < kept.size(); ++i)
    if (!kept[i].empty() || i + 1 == kept.size()) text += "/" + kept[i];
  return text;
}

TEST_CASE("path: servers agree on what is above, or it is refused", "[wire][path]") {
  constexpr std::string_view kPieces[] = {"/", "/", "/", "\\", ".", "..", "%2e", "a", "b"};
  std::mt19937 random(7);
  std::size_t agreed = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string path = "/";
    for (auto n = random() % 12; n > 0; --n) path += kPieces[random() % std::size(kPieces)];
    CAPTURE(path);
    const NormalPath normal(path);
    const std::string merged = seen(path, true, true);
    if (!normal.ok()) continue;
    CHECK(normal.text() == merged);
    CHECK(normal.text() == seen(path, true, false));
    CHECK(NormalPath(seen(path, false, true)).text() == merged);
    ++agreed;
  }
  CHECK(agreed > 5000);
}

// Whatever is sent: the normal form is one, and what stands behind a prefix means the same there.
TEST_CASE("path: of random spellings", "[wire][path]") {
  constexpr std::string_view kPieces[] = {"/",   "/", "\\", ".",   "..", "%2e",
                                          "%2E", "a", "b",  "%61", "%2f"};
  std::mt19937 random(11);
  std::size_t stripped = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string path = "/";
    for (auto n = random() % 12; n > 0; --n) path += kPieces[random() % std::size(kPieces)];
    CAPTURE(path);
    const NormalPath normal(path);
    if (!normal.ok()) continue;
    const std::string text(normal.text());
    REQUIRE(text.starts_with('/'));
    for (const char* part : {"//", "/./", "/../", "\\", "%2e", "%61", "%2f"})
      REQUIRE(text.find(part) == std::string::npos);
    REQUIRE_FALSE(text.ends_with("/."));
    REQUIRE_FALSE(text.ends_with("/.."));
    REQUIRE(NormalPath(text).text() == text);
    const auto behind = behind_prefix(path, "/a");
    REQUIRE(behind.has_value() == has_path_prefix(text, "/a"));
    if (!behind) continue;
    ++stripped;
    const std::string left = "/" + std::string(*behind);
    REQUIRE((left.size() == 1 || (left[1] != '/' && left[1] != '\\')));
    const std::string want = text.size() > 2 ? text.substr(2) : "/";
    REQUIRE(NormalPath(left).text() == want);
  }
  CHECK(stripped > 500);
}

}  // namespace fairlead::wire
