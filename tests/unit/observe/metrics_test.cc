#include "proxy/observe/metrics.h"

#include <regex>
#include <set>
#include <sstream>

#include "tests/support/catch.h"

using namespace fairlead::observe;

namespace {

Status some_status() {
  Status status;
  status.version = "1.2.3";
  status.connections = 7;
  status.workers = {3, 4};
  return status;
}

const std::vector<BackendStatus> kBackends{
    {"chat",
     {{"10.0.0.1:80", ServerState::ready, 1, 5, true}, {"unix:/a\"b\\c\n", {}, 1, 0, false}}},
    {"web", {{"[::1]:80", ServerState::down, 2, 1, true}}}};

}  // namespace

TEST_CASE("metrics: every line is well formed, every family is announced once before its samples",
          "[observe][metrics]") {
  std::istringstream lines(metrics_text(some_status(), kBackends));
  const std::regex help("# HELP ([a-z_]+) .+");
  const std::regex type("# TYPE ([a-z_]+) (gauge|counter)");
  const std::regex sample(R"re(([a-z_]+)(\{([a-z]+="([^"\\\n]|\\["\\n])*",?)+\})? [0-9]+)re");
  std::set<std::string> announced;
  std::string family;
  int samples = 0;
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    std::smatch match;
    if (std::regex_match(line, match, help)) {
      REQUIRE(announced.insert(match[1]).second);
      family = match[1];
    } else if (std::regex_match(line, match, type)) {
      REQUIRE(family == match[1]);
    } else {
      REQUIRE(std::regex_match(line, match, sample));
      REQUIRE(family == match[1]);
      ++samples;
    }
  }
  CHECK(samples == 17);
}

TEST_CASE("metrics: the values stand at their labels", "[observe][metrics]") {
  Status status = some_status();
  const auto has = [&](const std::string& line) {
    const std::string text = "\n" + metrics_text(status, kBackends);
    return text.find("\n" + line + "\n") != std::string::npos;
  };
  CHECK(has("fairlead_build_info{version=\"1.2.3\"} 1"));
  CHECK(has("fairlead_connections 7"));
  CHECK(has("fairlead_worker_connections{worker=\"1\"} 4"));
  CHECK(has("fairlead_backend_up{backend=\"chat\",server=\"10.0.0.1:80\"} 1"));
  CHECK(has("fairlead_backend_up{backend=\"chat\",server=\"unix:/a\\\"b\\\\c\\n\"} 0"));
  CHECK(has("fairlead_backend_sessions{backend=\"web\",server=\"[::1]:80\"} 1"));
  CHECK(has("fairlead_config_last_reload_successful 1"));
  status.last_reload = ReloadStatus{false, 0, 0, 1};
  CHECK(has("fairlead_config_last_reload_successful 0"));
}
