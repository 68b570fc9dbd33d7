#include "proxy/remote/top.h"

#include "tests/support/catch.h"

using namespace fairlead;
using namespace fairlead::remote;

namespace {

constexpr std::string_view kMetrics = R"(# HELP fairlead_messages_total Messages.
# TYPE fairlead_messages_total counter
fairlead_messages_total{route="a",direction="in",opcode="text"} 10
fairlead_messages_total{route="b {}",direction="in",opcode="text"} 5
fairlead_messages_total{route="a",direction="in",opcode="binary"} 2
fairlead_messages_total{route="a",direction="in",opcode="ping"} 50
fairlead_messages_total{route="a",direction="out",opcode="text"} 100
fairlead_messages_total{route="a",direction="out",opcode="binary"} 0
fairlead_messages_totally{route="a",direction="in"} 1000
fairlead_refused_total{reason="no_route"} 3
fairlead_close_total 4
)";

TopView view(int servers) {
  TopView one;
  one.status = *observe::parse_json(
      R"({"version":"1.2","pid":7,"uptime_s":75,"draining":false,"connections":12,)"
      R"("max_connections":100,"sessions":9,"workers":[{"connections":6},{"connections":6}]})");
  std::string text = R"({"backends":[{"name":"chat","servers":[)";
  for (int i = 0; i < servers; ++i) {
    text += (i == 0 ? "" : ",") + std::string(R"({"address":"10.0.0.)") + std::to_string(i) +
            R"(:80","state":"ready","weight":1,"sessions":3,"up":true})";
  }
  one.backends = *observe::parse_json(text + "]}]}");
  one.now = read_totals(kMetrics);
  return one;
}

bool has(const std::vector<std::string>& lines, std::string_view part) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

}  // namespace

TEST_CASE("top: sums of a family, by label", "[remote][top]") {
  CHECK(metric_sum(kMetrics, "fairlead_messages_total") == 167);
  CHECK(metric_sum(kMetrics, "fairlead_messages_total", {{"direction", "in"}}) == 67);
  CHECK(metric_sum(kMetrics, "fairlead_messages_total", {{"direction", "up"}}) == std::nullopt);
  CHECK(metric_sum(kMetrics, "fairlead_messages_total",
                   {{"direction", "in"}, {"opcode", "text"}}) == 15);
  CHECK(read_totals(kMetrics).messages_in == 17);
  CHECK(read_totals(kMetrics).messages_out == 100);
  CHECK(read_totals("fairlead_up 1").messages_in == std::nullopt);
  CHECK(metric_sum(kMetrics, "fairlead_close_total") == 4);
  CHECK(metric_sum(kMetrics, "fairlead_nothing") == std::nullopt);
  CHECK(metric_sum("", "a") == std::nullopt);
  CHECK(metric_sum("a{b=\"c\" 1\na{} 2\na", "a") == 2);
}

TEST_CASE("top: one screen", "[remote][top]") {
  TopView one = view(2);
  const auto first = top_lines(one, 23, 80);
  CHECK(first.front() == "fairlead 1.2  process 7  serving  up 1m 15s");
  CHECK(has(first, "connections   12 of 100, per worker 6 6"));
  CHECK(has(first, "messages  -/s"));
  CHECK(has(first, "10.0.0.1:80"));
  one.before = one.now;
  one.before->messages_in = 7;
  one.before->messages_out = 200;  // it was restarted meanwhile
  one.seconds = 2;
  const auto second = top_lines(one, 23, 80);
  CHECK(has(second, "messages  5/s  0/s"));
  CHECK(has(second, "payload   -/s"));
  CHECK(has(second, "refused     0/s"));
}

TEST_CASE("top: what does not fit is cut", "[remote][top]") {
  const auto lines = top_lines(view(100), 23, 30);
  REQUIRE(lines.size() == 23);
  for (const std::string& line : lines) CHECK(line.size() <= 30);
  CHECK(lines.back().starts_with("... and "));
  CHECK(top_lines(view(100), SIZE_MAX, SIZE_MAX).size() > 100);
}
