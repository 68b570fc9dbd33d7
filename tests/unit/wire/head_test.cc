#include "proxy/wire/head.h"

#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace fairlead::wire {
namespace {

std::vector<std::string> items(std::string_view list) {
  std::vector<std::string> out;
  for_each_item(list, [&](std::string_view item) {
    out.emplace_back(item);
    return true;
  });
  return out;
}

using List = std::vector<std::string>;

TEST_CASE("head: lists are split at commas outside quotes, empty items left out", "[wire][head]") {
  CHECK(items("").empty());
  CHECK(items(" , ,\t,").empty());
  CHECK(items("a") == List{"a"});
  CHECK(items("a,b") == List{"a", "b"});
  CHECK(items(" a \t, b c ,,d ") == List{"a", "b c", "d"});
  CHECK(items(R"(x; p="a, b", y)") == List{R"(x; p="a, b")", "y"});
  CHECK(items(R"(x; p="\", z", y)") == List{R"(x; p="\", z")", "y"});
  CHECK(items(R"(x; p="open, y)") == List{R"(x; p="open, y)"});
  CHECK(items("\"\\") == List{"\"\\"});
}

TEST_CASE("head: the walk over a list stops when told", "[wire][head]") {
  int seen = 0;
  for_each_item("a, b, c", [&](std::string_view) { return ++seen < 2; });
  CHECK(seen == 2);
}

TEST_CASE("head: names are equal whatever their case, in ASCII only", "[wire][head]") {
  CHECK(iequals("Host", "hOST"));
  CHECK_FALSE(iequals("Host", "Hosts"));
  CHECK_FALSE(iequals("a@", "a`"));  // 0x40 and 0x60 differ by the case bit only
  CHECK_FALSE(iequals("\xc4", "\xe4"));
}

TEST_CASE("head: fields are found by name, tokens over all fields of a name", "[wire][head]") {
  Fields fields;
  fields.add("Connection", "keep-alive, X-One");
  fields.add("Host", "a");
  fields.add("connection", "UPGRADE");
  CHECK(fields.size() == 3);
  CHECK(fields.get("CONNECTION") == "keep-alive, X-One");
  CHECK(fields.get("Cookie").empty());
  CHECK(fields.find("Cookie") == nullptr);
  CHECK(fields.count("Connection") == 2);
  CHECK(fields.has_token("Connection", "upgrade"));
  CHECK(fields.has_token("Connection", "x-one"));
  CHECK_FALSE(fields.has_token("Connection", "keep"));
  CHECK_FALSE(fields.has_token("Host", "upgrade"));
}

}  // namespace
}  // namespace fairlead::wire
