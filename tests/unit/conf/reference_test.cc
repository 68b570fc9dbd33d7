#include "conf/reference.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "conf/schema.h"
#include "conf/table.h"
#include "tests/support/catch.h"
#include "tests/unit/conf/memory_files.h"

using namespace fairlead::conf;
using fairlead::conf::test::FileMap;
using fairlead::conf::test::MemoryFiles;
using fairlead::conf::test::messages;
using fairlead::conf::test::no_environment;

namespace {

std::string example() {
  const std::filesystem::path root = FAIRLEAD_SOURCE_DIR;
  std::ifstream file(root / "packaging" / "example.toml");
  REQUIRE(file.good());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The keys of `described` that no table among `nodes` sets.
void missing_keys(const std::vector<Described>& described, const std::vector<const Node*>& nodes,
                  const std::string& path, std::vector<std::string>& missing) {
  for (const Described& entry : described) {
    std::vector<const Node*> values;
    for (const Node* node : nodes) {
      const Node* value = node->find(entry.key);
      if (value == nullptr) continue;
      values.push_back(value);
      for (const Node& item : value->children) values.push_back(&item);
    }
    if (values.empty()) missing.push_back(path + entry.key);
    missing_keys(entry.nested, values, path + entry.key + ".", missing);
  }
}

}  // namespace

TEST_CASE("reference: every key has its line, and a terminal holds them", "[conf][reference]") {
  const std::string text = reference_text();
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    REQUIRE(line.size() < 80);
  }
  for (const auto* part :
       {"\n[server]\n", "\n[server.drain]\n", "\n[[listener]]\n", "\n[listener.tls]\n",
        "\n[route.websocket]\n", "\n[backend.sticky]\n", "  workers = 0   (integer, 0 to 256)\n",
        "  keepalive = \"75s\"   (duration, 10ms to 24h)\n", "  origins = [\"same-origin\"]",
        "  max_message = \"1MiB\"   (size, or \"off\")\n", "  name: the backend's name",
        "  connect: as in [timeouts]", "  idle_timeout = \"off\"", "  address: required"}) {
    CAPTURE(part);
    REQUIRE(text.find(part) != std::string::npos);
  }
}

TEST_CASE("reference: the example file is right", "[conf][reference]") {
  const MemoryFiles files(
      FileMap{{"/etc/fairlead/fullchain.pem", "cert"},
              {"/etc/fairlead/privkey.pem", "key"},
              {"/etc/fairlead/conf.d/more.toml", ""},
              {"/etc/fairlead/ticket.key", std::string(80, 'k')},
              {"/etc/fairlead/admin.token", "fedcba9876543210fedcba9876543210\n"},
              {"/etc/fairlead/scrape.token", "0123456789abcdef0123456789abcdef\n"},
              {"/etc/fairlead/sticky.secret", "0123456789abcdef0123456789abcdef\n"}});
  const auto result = load_text(example(), "/etc/fairlead/fairlead.toml", no_environment, files);
  REQUIRE(messages(result) == std::vector<std::string>{});
  REQUIRE(result.hints == std::vector<std::string>{});
}

TEST_CASE("reference: the example file names every key there is", "[conf][reference]") {
  const Source source("example.toml", example(), 0);
  const ParseResult parsed = parse_toml(source);
  REQUIRE(parsed.root.has_value());
  std::vector<std::string> missing;
  missing_keys(file_description(), {&*parsed.root}, "", missing);
  REQUIRE(missing == std::vector<std::string>{});
}
