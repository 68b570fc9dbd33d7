#include "conf/json_schema.h"

#include "conf/schema.h"
#include "conf/shape.h"
#include "tests/support/catch.h"

using namespace fairlead::conf;

namespace {

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

void check_keys(const std::vector<Described>& described, const std::string& schema) {
  for (const Described& entry : described) {
    CAPTURE(entry.key);
    REQUIRE(holds(schema, json_quoted(entry.key) + ": {"));
    check_keys(entry.nested, schema);
  }
}

}  // namespace

TEST_CASE("json_schema: an object takes its keys and no others", "[conf][json_schema]") {
  Described key{"workers", "integer", "4", "threads", {}, shape::integer(0, 9)};
  const Described plain{"user", "name", "the \"caller\"", "", {}};
  REQUIRE(
      object_shape({key, plain}) ==
      R"("type":"object","properties":{"workers":{"description":"threads\ninteger","default":4,)"
      R"("type":"integer","minimum":0,"maximum":9},)"
      R"("user":{"description":"name\nDefault: the \"caller\"","type":"string"}},)"
      R"("additionalProperties":false)");
  key.required = true;
  REQUIRE(
      holds(object_shape({plain, key}), R"("additionalProperties":false,"required":["workers"])"));
}

TEST_CASE("json_schema: tables nest, and lists of tables hold tables", "[conf][json_schema]") {
  const Described leaf{"rate", "rate", "\"1/s\"", "", {}};
  const Described table{"drain", "table", "", "", {leaf}};
  REQUIRE(holds(object_shape({table}), R"("drain":{"type":"object","properties":{"rate":)"));
  const Described list{"route", "list", "", "", {leaf}};
  REQUIRE(holds(object_shape({list}),
                R"("route":{"type":"array","items":{"type":"object","properties":{"rate":)"));
}

TEST_CASE("json_schema: it has every key that is parsed", "[conf][json_schema]") {
  const std::string schema = json_schema();
  check_keys(file_description(), schema);
  REQUIRE(holds(schema, "\"$schema\": \"http://json-schema.org/draft-07/schema#\""));
  REQUIRE(holds(schema, "\"definitions\": {\n    \"variable\": {"));
}
