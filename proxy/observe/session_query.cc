#include "proxy/observe/session_query.h"

#include <array>
#include <charconv>
#include <vector>

namespace fairlead::observe {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::optional<std::size_t> number(std::string_view text, std::size_t least, std::size_t most) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value >= least && value <= most ? std::optional(value) : std::nullopt;
}

// One parameter at a time; each returns what is wrong, or "".
struct Reader {
  SessionQuery out;

  std::string route(std::string value) { return take(out.filter.route, std::move(value)); }

  std::string backend(std::string value) { return take(out.filter.backend, std::move(value)); }

  std::string server(std::string value) { return take(out.filter.server, std::move(value)); }

  std::string client(std::string value) {
    out.filter.client = conf::Cidr::parse(value);
    return out.filter.client ? "" : "client must be an address or a network such as 10.0.0.0/8";
  }

  std::string sort(std::string value) {
    static constexpr std::array<std::string_view, 3> kWords{"age", "idle", "rate"};
    for (std::size_t i = 0; i < kWords.size(); ++i) {
      if (value != kWords[i]) continue;
      out.sort = static_cast<SessionQuery::Sort>(i);
      return "";
    }
    return "sort must be age, idle or rate";
  }

  std::string limit(std::string value) {
    const auto given = number(value, 1, SessionQuery::kMostLimit);
    if (!given) return "limit must be 1 to 1000";
    out.limit = *given;
    return "";
  }

  std::string offset(std::string value) {
    const auto given = number(value, 0, SessionQuery::kMostOffset);
    if (!given) return "offset must be 0 to 100000";
    out.offset = *given;
    return "";
  }

  std::string user(std::string) { return "sessions have no user: there is no authentication yet"; }

  static std::string take(std::string& into, std::string value) {
    if (value.empty()) return "a filter must not be empty";
    into = std::move(value);
    return "";
  }
};

struct Parameter {
  std::string_view name;
  bool filters;
  std::string (Reader::*read)(std::string);
};

constexpr std::array kParameters = {
    Parameter{"route", true, &Reader::route},   Parameter{"backend", true, &Reader::backend},
    Parameter{"server", true, &Reader::server}, Parameter{"client", true, &Reader::client},
    Parameter{"user", true, &Reader::user},     Parameter{"sort", false, &Reader::sort},
    Parameter{"limit", false, &Reader::limit},  Parameter{"offset", false, &Reader::offset},
};

std::string read_pair(std::string_view pair, bool filter_only, std::vector<std::string_view>& seen,
                      Reader& reader) {
  const std::size_t equals = std::min(pair.find('='), pair.size());
  const std::string_view name = pair.substr(0, equals);
  for (const Parameter& parameter : kParameters) {
    if (parameter.name != name || (filter_only && !parameter.filters)) continue;
    for (const std::string_view one : seen) {
      if (one == parameter.name) return std::string(one) + " is given twice";
    }
    seen.push_back(parameter.name);
    const auto value = percent_decoded(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!value) return "bad percent-encoding in the query";
    if (value->size() > SessionQuery::kMostValue)
      return std::string(parameter.name) + " is longer than 256 bytes";
    return (reader.*parameter.read)(*value);
  }
  return filter_only ? "unknown filter: there are route, backend, server and client"
                     : "unknown parameter: there are route, backend, server, client, sort, limit "
                       "and offset";
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text, bool plus) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += plus && text[i] == '+' ? ' ' : text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::optional<SessionQuery> parse_session_query(std::string_view query, bool filter_only,
                                                std::string& error) {
  if (!query.empty() && query.front() == '?') query.remove_prefix(1);
  Reader reader;
  std::vector<std::string_view> seen;
  while (!query.empty() && error.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (!pair.empty()) error = read_pair(pair, filter_only, seen, reader);
  }
  if (error.empty() && filter_only && reader.out.filter.empty())
    error = "give at least one filter: route, backend, server or client";
  return error.empty() ? std::optional(reader.out) : std::nullopt;
}

std::optional<std::uint64_t> parse_conn_id(std::string_view text) {
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id, 16);
  const bool good = text.size() == 16 && error == std::errc{} && end == text.data() + text.size();
  return good ? std::optional(id) : std::nullopt;
}

}  // namespace fairlead::observe
