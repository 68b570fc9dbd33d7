#pragma once
// Which sessions somebody asks for through the admin endpoint, out of a request's query.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "conf/ip.h"

namespace fairlead::observe {

// What is empty or absent lets all pass.
struct SessionFilter {
  std::string route;
  std::string backend;
  std::string server;                // its name, "10.0.0.11:8080"
  std::optional<conf::Cidr> client;  // an address or a network

  bool empty() const { return route.empty() && backend.empty() && server.empty() && !client; }
};

struct SessionQuery {
  static constexpr std::size_t kLimit = 100;
  static constexpr std::size_t kMostLimit = 1000;
  static constexpr std::size_t kMostOffset = 100'000;
  static constexpr std::size_t kMostValue = 256;  // bytes of one value

  // The oldest, those idle for longest, those with the most bytes a second come first.
  enum class Sort : std::uint8_t { age, idle, rate };

  SessionFilter filter;
  Sort sort = Sort::age;
  std::size_t limit = kLimit;
  std::size_t offset = 0;
};

// "?route=chat&client=10.0.0.0/8&sort=idle&limit=20&offset=40". Nothing with `error` set (one
// line). `filter_only`: no order and no page, and at least one filter.
std::optional<SessionQuery> parse_session_query(std::string_view query, bool filter_only,
                                                std::string& error);

// The 16 hexadecimal digits of an access log's conn_id.
std::optional<std::uint64_t> parse_conn_id(std::string_view text);

// Percent-decoded; nothing where a "%" is no code. `plus`: "+" is a space, as in forms.
std::optional<std::string> percent_decoded(std::string_view text, bool plus = false);

}  // namespace fairlead::observe
