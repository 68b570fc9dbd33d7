#include "proxy/rules/trace_context.h"

#include <algorithm>
#include <cstddef>
#include <span>

namespace fairlead::rules {
namespace {

// version "-" trace-id "-" parent-id "-" trace-flags (3.2.2)
constexpr std::size_t kSize = 55;
constexpr std::size_t kTraceAt = 3;
constexpr std::size_t kSpanAt = 36;
constexpr std::size_t kFlagsAt = 53;
constexpr std::uint8_t kSampled = 1;
constexpr std::uint8_t kNoVersion = 0xff;
constexpr std::size_t kStateBytes = 512;

// Lower case only (3.2.2).
int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool read_hex(std::string_view text, std::span<std::uint8_t> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = digit(text[2 * i]);
    const int low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return true;
}

void append_hex(std::span<const std::uint8_t> bytes, std::string& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const std::uint8_t byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
}

void put(std::uint64_t value, std::span<std::uint8_t> out) {
  for (std::size_t i = out.size(); i-- > 0; value >>= 8) out[i] = static_cast<std::uint8_t>(value);
}

// An id that is all zero is none: 0 becomes 1.
std::uint64_t not_zero(std::uint64_t value) {
  return value == 0 ? 1 : value;
}

std::optional<TraceParent> find_parent(const wire::Fields& fields) {
  if (fields.count("traceparent") != 1) return std::nullopt;
  return parse_traceparent(fields.get("traceparent"));
}

}  // namespace

std::optional<TraceParent> parse_traceparent(std::string_view value) {
  std::array<std::uint8_t, 1> version{};
  std::array<std::uint8_t, 1> flags{};
  TraceParent parent;
  if (value.size() < kSize) return std::nullopt;
  if (value[2] != '-' || value[kSpanAt - 1] != '-' || value[kFlagsAt - 1] != '-')
    return std::nullopt;
  const bool read = read_hex(value, version) && read_hex(value.substr(kTraceAt), parent.trace) &&
                    read_hex(value.substr(kSpanAt), parent.span) &&
                    read_hex(value.substr(kFlagsAt), flags);
  if (!read || version[0] == kNoVersion) return std::nullopt;
  if (value.size() > kSize && (version[0] == 0 || value[kSize] != '-')) return std::nullopt;
  if (parent.trace == TraceId{} || parent.span == SpanId{}) return std::nullopt;
  parent.sampled = (flags[0] & kSampled) != 0;
  return parent;
}

std::string traceparent_text(const TraceParent& parent) {
  std::string out = "00-";
  out.reserve(kSize);
  append_hex(parent.trace, out);
  out += '-';
  append_hex(parent.span, out);
  out += parent.sampled ? "-01" : "-00";
  return out;
}

std::string hex_text(const TraceId& id) {
  std::string out;
  append_hex(id, out);
  return out;
}

std::string hex_text(const SpanId& id) {
  std::string out;
  append_hex(id, out);
  return out;
}

bool in_sample(const TraceId& id, double share) {
  std::uint64_t low = 0;
  for (std::size_t i = 8; i < id.size(); ++i) low = low << 8 | id[i];
  // 53 bits are a double's: 1 is above all of them.
  return static_cast<double>(low >> 11) * 0x1p-53 < share;
}

std::optional<TraceContext> trace_context(const wire::Fields& fields, bool follow, double share,
                                          const TraceRandom& random) {
  TraceContext context;
  const std::optional<TraceParent> parent = follow ? find_parent(fields) : std::nullopt;
  if (parent && !parent->sampled) return std::nullopt;
  put(not_zero(random.span), context.own.span);
  if (parent) {
    context.own.trace = parent->trace;
    context.own.sampled = true;
    context.parent = parent->span;
    return context;
  }
  put(random.high, std::span(context.own.trace).first(8));
  put(not_zero(random.low), std::span(context.own.trace).last(8));
  context.own.sampled = in_sample(context.own.trace, share);
  return context;
}

std::string tracestate_of(const wire::Fields& fields) {
  std::string state;
  for (const wire::Field& field : fields) {
    if (!wire::iequals(field.name, "tracestate") || field.value.empty()) continue;
    if (!state.empty()) state += ',';
    state += field.value;
    if (state.size() > kStateBytes) return "";
  }
  return state;
}

}  // namespace fairlead::rules
