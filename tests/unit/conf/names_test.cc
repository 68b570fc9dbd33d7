#include "conf/names.h"

#include "tests/support/catch.h"

using namespace fairlead::conf;

TEST_CASE("names: a slip of the finger finds the name that was meant", "[conf][names]") {
  const std::vector<std::string> known{"origins", "hosts", "path", "strip_prefix", "backend"};
  REQUIRE(nearest("orgins", known) == "origins");
  REQUIRE(nearest("Origins", known) == "origins");
  REQUIRE(nearest("origin", known) == "origins");
  REQUIRE(nearest("hsots", known) == "hosts");
  REQUIRE(nearest("backends", known) == "backend");
  REQUIRE(nearest("strip-prefix", known) == "strip_prefix");
  REQUIRE(nearest("pth", known) == "path");
  REQUIRE(nearest("colour", known).empty());
  REQUIRE(nearest("", known).empty());
  REQUIRE(nearest(std::string(65, 'o'), known).empty());
  REQUIRE(nearest("x", {"a"}).empty());
}

TEST_CASE("names: the nearest wins, the first of equals", "[conf][names]") {
  REQUIRE(nearest("chat3", {"chats12", "chat1", "chat2"}) == "chat1");
}

TEST_CASE("names: hosts", "[conf][names]") {
  REQUIRE(is_host_name("chat.example.com"));
  REQUIRE(is_host_name("a"));
  REQUIRE(is_host_name("a_b-c.1d"));
  REQUIRE(is_host_name("xn--bcher-kva.example"));
  REQUIRE_FALSE(is_host_name(""));
  REQUIRE_FALSE(is_host_name("a."));
  REQUIRE(without_final_dot("a.b.") == "a.b");
  REQUIRE(without_final_dot("a.b..") == "a.b.");
  REQUIRE(without_final_dot(".") == ".");
  REQUIRE(without_final_dot("").empty());
  REQUIRE_FALSE(is_host_name(".a"));
  REQUIRE_FALSE(is_host_name("a-.b"));
  REQUIRE_FALSE(
      is_host_name("b\xC3\xBC"
                   "cher"));
  REQUIRE_FALSE(is_host_name("1.2.3"));
  std::string labels;
  for (int i = 0; i < 126; ++i) labels += "a.";
  REQUIRE(is_host_name(labels + "b"));         // 253
  REQUIRE_FALSE(is_host_name(labels + "bb"));  // 254
}
