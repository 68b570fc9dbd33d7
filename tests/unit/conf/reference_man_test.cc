#include "conf/reference.h"
#include "conf/roff.h"
#include "conf/schema.h"
#include "tests/support/catch.h"

using namespace fairlead::conf;

namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

void check_keys(const std::vector<Described>& described, const std::string& page) {
  for (const Described& entry : described) {
    CAPTURE(entry.key);
    const bool table = entry.type == "table" || entry.type == "list";
    REQUIRE((table || holds(page, ".BR \"" + roff(entry.key) + "\"")));
    check_keys(entry.nested, page);
  }
}

}  // namespace

TEST_CASE("reference_man: every key, its default and its type", "[conf][reference]") {
  const std::string page = reference_man("1.2.3", "2026-01-02");
  REQUIRE(page.substr(0, page.find('\n')) == ".TH FAIRLEAD.TOML 5 2026-01-02 \"Fairlead 1.2.3\"");
  check_keys(file_description(), page);
  for (const auto* part :
       {"\n.SS \"[server]\"\n", "\n.SS \"[server.drain]\"\n", "\n.SS \"[[listener]]\"\n",
        "\n.BR \"workers\" \" = 0\"\nevent\\-loop threads; 0: one per CPU.\n.br\n"
        "Type: integer, 0 to 256.\n",
        "\n.BR \"connect\" \" (as in [timeouts])\"\n", "\n.BR \"address\" \" (required)\"\n",
        "\n.BR \"hash_key\" \" = \\(dqclient\\-ip\\(dq\"\n"}) {
    CAPTURE(part);
    REQUIRE(holds(page, part));
  }
}
