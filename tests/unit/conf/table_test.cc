#include "conf/table.h"

#include "tests/support/catch.h"

using namespace fairlead::conf;

namespace {

std::string place(const Source& source, std::size_t offset) {
  const Position at = source.position(offset);
  return std::to_string(at.line) + ":" + std::to_string(at.column);
}

// "3:5: message", or "" for good TOML.
std::string syntax_error(const std::string& text) {
  const Source source("f", text, 0);
  const ParseResult result = parse_toml(source);
  if (!result.problem) return "";
  return place(source, result.problem->offset) + ": " + result.problem->message;
}

// The place of the key at the end of a path.
std::string key_place(const std::string& text, const std::vector<std::string>& path) {
  const Source source("f", text, 0);
  const ParseResult result = parse_toml(source);
  if (!result.root) return "bad TOML";
  const Node* node = &*result.root;
  for (const std::string& key : path) {
    if (node->kind == Node::Kind::array) node = &node->children.back();
    node = node->find(key);
    if (node == nullptr) return "no " + key;
  }
  return place(source, node->key_offset);
}

}  // namespace

TEST_CASE("table: a syntax error is one line with its place", "[conf][table]") {
  struct Row {
    const char* text;
    const char* error;
  };

  const auto row = GENERATE(values<Row>({
      {"a = 1\n[server\nb = 2\n", "2:1: TOML: neither a key nor a [table] header"},
      {"a = \"x\" tls\n", "1:9: TOML: invalid line format: expected newline, but got 't'"},
      {"a 1\n", "1:2: TOML: missing key-value separator `=`: should be `=`"},
      {"a = yes\n", "1:5: TOML: not a value (a string needs quotes)"},
      {"a = \"open\nb = 1\n", "1:5: TOML: a string that does not end, or with an unknown escape"},
      {"a = 1\nb=2\na = 2\n", "3:1: \"a\" is set twice (before: line 1)"},
      {"[a]\nb=1\n\n  [a]\nc=1\n", "4:3: \"a\" is set twice (before: line 1)"},
      {"a = {x = 1, x = 2}\n", "1:13: \"x\" is set twice (before: line 1)"},
      {"a = [1, 2\nb = 1\n", "2:1: TOML: missing array separator `,` after a value: should be `,`"},
      {"a = [1, 2\n", "2:1: TOML: missing array separator `,` after a value: should be `,`"},
      {" = 1\n", "1:2: TOML: empty key is not allowed: key expected before '='"},
      {"a = []\n[a.b]\n", "1:1: TOML: a table extends an empty array"},
      {"a = \"\x01\"\n", "1:6: a control character"},
      {"a = 1\n#\xFF\n", "2:2: not UTF-8 text"},
      {"a = 1\r", "1:6: a carriage return that ends no line"},
  }));
  CAPTURE(row.text);
  REQUIRE(syntax_error(row.text) == row.error);
}

TEST_CASE("table: good text, with and without its last newline, CRLF and a BOM", "[conf][table]") {
  const auto* text = GENERATE("", "#", "a=1", "a=1\n", "a=1\r\nb=2\r\n",
                              "\xEF\xBB\xBF"
                              "a=1\n",
                              "# \xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\n", "[a.b.c]\n[a]\nx=1\n",
                              "a='''\n[[[[[\n'''\n", "a=\"\"\"\"x\"\"\"\"\"\n", "a=\"\\\"[[[\"\n");
  CAPTURE(text);
  REQUIRE(syntax_error(text).empty());
}

TEST_CASE("table: keys are found where they stand", "[conf][table]") {
  struct Row {
    const char* why;
    const char* text;
    std::vector<std::string> path;
    const char* place;
  };

  const auto row = GENERATE(values<Row>({
      {"plain", "x=0\n  key = 1\n", {"key"}, "2:3"},
      {"quoted", "x=0\n\"a key\"= 1\n", {"a key"}, "2:1"},
      {"literal", "'a'   =\t1\n", {"a"}, "1:1"},
      {"after a BOM", "\xEF\xBB\xBFkey = 1\n", {"key"}, "1:1"},
      {"CRLF", "x=0\r\nkey = 1\r\n", {"key"}, "2:1"},
      {"header", "  [ server ]\n", {"server"}, "1:5"},
      {"deep header", "[a.b . \"c\"]\n", {"a", "b", "c"}, "1:8"},
      {"a header's outer part", "[a.b.c]\n", {"a", "b"}, "1:4"},
      {"header used before", "[a.b]\n[a]\n", {"a"}, "2:2"},
      {"list of tables", "[[l]]\n[[l]]\n", {"l"}, "1:3"},
      {"table in a list", "[[l]]\n[l.tls]\nx = 1\n", {"l", "tls"}, "2:4"},
      {"dotted", "[s]\ndrain.deadline = 1\n", {"s", "drain", "deadline"}, "2:7"},
      {"dotted, outer", "[s]\ndrain.deadline = 1\n", {"s", "drain"}, "2:1"},
      {"inline", "a = { b = 1, c = { d = 2 } }\n", {"a", "c", "d"}, "1:20"},
      {"inline table's own", "a = { b = 1, c = { d = 2 } }\n", {"a", "c"}, "1:14"},
      {"list's own", "l = [\n {x = 1}\n]\n", {"l"}, "1:1"},
      {"list of inline tables", "l = [\n {x = 1}, {y = 2}\n]\n", {"l", "y"}, "2:12"},
  }));
  CAPTURE(row.why);
  REQUIRE(key_place(row.text, row.path) == row.place);
}

TEST_CASE("table: what a recursive parser must not see", "[conf][table]") {
  const auto nested = [](std::size_t n) {
    return "a = " + std::string(n, '[') + std::string(n, ']') + "\n";
  };
  REQUIRE(syntax_error(nested(kNesting - 1)).empty());
  REQUIRE(syntax_error(nested(kNesting)).empty());
  REQUIRE(syntax_error(nested(kNesting + 1)) == "1:37: nested too deeply");
  REQUIRE(syntax_error("a = " + std::string(1000, '[')) == "1:37: nested too deeply");

  const auto dotted = [](std::size_t parts) {
    std::string key = "a";
    for (std::size_t i = 1; i < parts; ++i) key += ".a";
    return key + " = 1\n";
  };
  REQUIRE(syntax_error(dotted(kKeyParts)).empty());
  REQUIRE(syntax_error(dotted(kKeyParts + 1)) == "1:32: a key of too many parts");
  REQUIRE(syntax_error("[" + dotted(kKeyParts + 1)) == "1:33: a key of too many parts");
  REQUIRE(syntax_error("a = [" + std::string(20, '[') + "\"" + std::string(50, '[') + "\"")
              .find("too deeply") == std::string::npos);
}

TEST_CASE("table: long lines and large files are refused", "[conf][table]") {
  const auto line = [](std::size_t n) { return "#" + std::string(n - 1, 'x'); };
  REQUIRE(syntax_error(line(kLineBytes - 1)).empty());
  REQUIRE(syntax_error(line(kLineBytes)).empty());
  REQUIRE(syntax_error("\n" + line(kLineBytes) + "\n").empty());
  REQUIRE(syntax_error("\n" + line(kLineBytes + 1)) == "2:1: the line is longer than 8 KiB");

  std::string large;
  while (large.size() + kLineBytes < kFileBytes) large += line(kLineBytes - 1) + "\n";
  large += line(kFileBytes - large.size());
  REQUIRE_FALSE(inspect(large).has_value());
  large += "\n";
  REQUIRE(inspect(large)->message == "the file is larger than 4 MiB");
}

TEST_CASE("table: only well-formed UTF-8 passes", "[conf][table]") {
  const auto* bad =
      GENERATE("\x80", "\xC0\x80", "\xC1\xBF", "\xC3", "\xE0\x9F\xBF", "\xE2\x82", "\xED\xA0\x80",
               "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80", "\xFF");
  REQUIRE(inspect(bad)->message == "not UTF-8 text");
  const auto* good = GENERATE("\xC2\x80", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                              "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF");
  REQUIRE_FALSE(inspect(good).has_value());
}
