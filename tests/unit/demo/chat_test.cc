#include "proxy/demo/chat.h"

#include "tests/support/catch.h"

using fairlead::demo::json_string;

TEST_CASE("chat: any text is a JSON string", "[demo][chat]") {
  CHECK(json_string("") == "\"\"");
  CHECK(json_string("hello") == "\"hello\"");
  CHECK(json_string("say \"hi\" \\o/") == R"("say \"hi\" \\o/")");
  CHECK(json_string("a\nb\tc") == R"("a\u000ab\u0009c")");
  CHECK(json_string(std::string_view("\0\x1f\x20\x7f", 4)) == "\"\\u0000\\u001f \x7f\"");
  CHECK(json_string("gr\xc3\xbc\xc3\x9f") == "\"gr\xc3\xbc\xc3\x9f\"");
  CHECK(json_string("</script>") == "\"</script>\"");
}
