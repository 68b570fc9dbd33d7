#include "tests/bench/report.h"

#include <cstdio>

namespace fairlead::bench {

void say(std::string_view moment) {
  std::printf("%.*s\n", static_cast<int>(moment.size()), moment.data());
  std::fflush(stdout);
}

Report::Report(std::string_view mode) : text_("{\"mode\":\"" + std::string(mode) + "\"") {}

Report& Report::add(std::string_view name, const std::string& value) {
  text_ += ",\"" + std::string(name) + "\":" + value;
  return *this;
}

Report& Report::number(std::string_view name, double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.9g", value);
  return add(name, text);
}

Report& Report::histogram(std::string_view name, const Histogram& values) {
  return add(name, values.buckets());
}

void Report::print() const {
  say(text_ + "}");
}

}  // namespace fairlead::bench
