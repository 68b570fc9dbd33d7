#include "proxy/remote/session_tables.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "proxy/remote/tables.h"

namespace fairlead::remote {
namespace {

using observe::JsonValue;

std::string number(const JsonValue& session, std::string_view name) {
  return session.find(name) == nullptr ? "-" : short_number(session.number_of(name));
}

std::string time(const JsonValue& session, std::string_view name) {
  return duration_text(session.number_of(name) / 1000);
}

std::string or_dash(std::string text) {
  return text.empty() ? "-" : text;
}

std::string plain(const JsonValue& value) {
  switch (value.kind) {
    case JsonValue::Kind::string:
      return value.text;
    case JsonValue::Kind::number:
      return fmt::format("{}", value.number);
    case JsonValue::Kind::boolean:
      return value.boolean ? "yes" : "no";
    case JsonValue::Kind::null:
    case JsonValue::Kind::array:
    case JsonValue::Kind::object:
      break;
  }
  return "";
}

}  // namespace

std::string short_number(double value) {
  static constexpr std::array<const char*, 4> kUnits{"", "k", "M", "G"};
  std::size_t unit = 0;
  while (value >= 1000 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  const bool whole = value == std::floor(value);
  return whole ? fmt::format("{:.0f}{}", value, kUnits[unit])
               : fmt::format("{:.1f}{}", value, kUnits[unit]);
}

std::string sessions_text(const JsonValue& list) {
  std::vector<std::vector<std::string>> rows{{"ID", "CLIENT", "ROUTE", "SERVER", "AGE", "IDLE",
                                              "RTT MS", "MSGS/S", "BYTES/S", "BUFFERED", "PATH"}};
  for (const JsonValue& session : list.items_of("sessions")) {
    rows.push_back({session.string_of("conn_id"), or_dash(session.string_of("client_ip")),
                    session.string_of("route"), session.string_of("server"),
                    time(session, "duration_ms"), time(session, "idle_ms"),
                    number(session, "rtt_ms"), number(session, "msgs_per_s"),
                    number(session, "bytes_per_s"), number(session, "buffered_bytes"),
                    session.string_of("path")});
  }
  return table(rows) + fmt::format("{} of {:.0f}\n", rows.size() - 1, list.number_of("total"));
}

std::string session_text(const JsonValue& session) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, value] : session.members) rows.push_back({name, plain(value)});
  return table(rows);
}

}  // namespace fairlead::remote
