#include "proxy/wire/visible_text.h"

#include "tests/support/catch.h"

namespace fairlead::wire {

TEST_CASE("visible text: what a terminal acts on is escaped, all else stays", "[wire][text]") {
  struct Row {
    std::string text;
    std::string want;
  };

  using namespace std::string_literals;
  const auto row = GENERATE(values<Row>({
      {"", ""},
      {"plain ~", "plain ~"},
      {"a\\b", "a\\b"},
      {"\0\x1b[31m"s, R"(\u0000\u001b[31m)"},
      {"\x7f", R"(\u007f)"},
      {"\xc2\x80\xc2\x9b\xc2\x9f", R"(\u0080\u009b\u009f)"},  // C1
      {"\xc2\xa0", "\xc2\xa0"},                               // the first after C1
      {"\xe2\x80\x8d", "\xe2\x80\x8d"},                       // a joiner is no mark
      {"\xe2\x80\x8e\xe2\x80\x8f", R"(\u200e\u200f)"},        // marks
      {"\xe2\x80\xaa\xe2\x80\xae\xe2\x80\xaf", "\\u202a\\u202e\xe2\x80\xaf"},  // embeddings
      {"\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa",
       "\xe2\x81\xa5\\u2066\\u2069\xe2\x81\xaa"},
      {"\xe2\x80\xa8\xe2\x80\xa9\xd8\x9c", R"(\u2028\u2029\u061c)"},
      {"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80"},
      {"\x9b", R"(\ufffd)"},  // no UTF-8: C1 of an 8-bit terminal
      {"\xc3\xbc\xff\xe2\x82", "\xc3\xbc\\ufffd\\ufffd\\ufffd"},
  }));
  CHECK(visible_text(row.text) == row.want);
}

TEST_CASE("visible text: what is to be kept passes", "[wire][text]") {
  CHECK(visible_text("a\n\tb", "\n") == "a\n\\u0009b");
}

TEST_CASE("visible text: a character is read whole", "[wire][text]") {
  CHECK(first_character("a").code == U'a');
  CHECK(first_character("\xf0\x9f\x98\x80!").code == 0x1F600);
  CHECK(first_character("\xf0\x9f\x98\x80!").size == 4);
  CHECK_FALSE(first_character("\xed\xa0\x80").valid);  // a surrogate
}

}  // namespace fairlead::wire
