#include "conf/roff.h"

#include "tests/support/catch.h"

using namespace fairlead::conf;

TEST_CASE("roff: what it would take for its own is escaped", "[conf][roff]") {
  REQUIRE(roff("plain words") == "plain words");
  REQUIRE(roff("--rate") == "\\-\\-rate");
  REQUIRE(roff("a\\b") == "a\\eb");
  REQUIRE(roff(".SH no heading\n.either") == "\\&.SH no heading\n\\&.either");
  REQUIRE(roff("a. b") == "a. b");
  REQUIRE(roff("'tis") == "\\&\\(aqtis");
  REQUIRE(roff("`^~") == "\\(ga\\(ha\\(ti");
}

TEST_CASE("roff: a macro's argument stays one", "[conf][roff]") {
  REQUIRE(roff_argument("two words") == "\"two words\"");
  REQUIRE(roff_argument("say \"it\"") == "\"say \\(dqit\\(dq\"");
  REQUIRE(roff_argument("a\nb") == "\"a b\"");
}
