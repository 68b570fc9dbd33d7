#include "proxy/wire/dns_answer.h"

#include <algorithm>
#include <cstddef>

namespace fairlead::wire {
namespace {

constexpr std::size_t kHeader = 12;
constexpr std::size_t kNameMost = 253;  // as text, RFC 1035 2.3.4
constexpr unsigned kCname = 5;
constexpr unsigned kInternet = 1;
constexpr std::uint32_t kTtlMost = 0x7fffffff;  // RFC 2181 section 8: more is none

// As it is compared: no byte of a label may look like the dot between two.
char in_name(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
  return c > ' ' && c < 0x7f && c != '.' ? c : '?';
}

// Walks a message; a failed read leaves it anywhere.
class Walk {
 public:
  explicit Walk(std::string_view message) : message_(message) {}

  std::size_t at() const { return at_; }

  bool skip(std::size_t bytes) {
    if (message_.size() - at_ < bytes) return false;
    at_ += bytes;
    return true;
  }

  bool number(unsigned bytes, std::uint32_t& out) {
    const std::size_t from = at_;
    if (!skip(bytes)) return false;
    out = 0;
    for (std::size_t i = from; i < at_; ++i) out = out << 8 | byte(i);
    return true;
  }

  bool number(std::uint16_t& out) {
    std::uint32_t wide = 0;
    if (!number(2, wide)) return false;
    out = static_cast<std::uint16_t>(wide);
    return true;
  }

  // RFC 1035 4.1.4. Ends: each round makes the name longer or goes back further.
  bool name(std::string& out) {
    out.clear();
    bool jumped = false;
    for (std::size_t at = at_; at < message_.size();) {
      const std::size_t length = byte(at);
      if (length >= 0xc0) {
        if (at + 1 >= message_.size()) return false;
        if (!jumped) at_ = at + 2;
        jumped = true;
        const std::size_t target = (length & 0x3fU) << 8 | byte(at + 1);
        if (target >= at) return false;
        at = target;
        continue;
      }
      if (length > 63) return false;
      if (length == 0) {
        if (!jumped) at_ = at + 1;
        return true;
      }
      if (message_.size() - at <= length) return false;
      if (out.size() + length + (out.empty() ? 0 : 1) > kNameMost) return false;
      if (!out.empty()) out += '.';
      for (std::size_t i = at + 1; i <= at + length; ++i) out += in_name(message_[i]);
      at += 1 + length;
    }
    return false;
  }

 private:
  std::uint8_t byte(std::size_t at) const { return static_cast<std::uint8_t>(message_[at]); }

  std::string_view message_;
  std::size_t at_ = 0;
};

struct Record {
  std::string owner;
  std::uint16_t type = 0;
  std::uint16_t cls = 0;
  std::uint32_t ttl = 0;
  std::uint16_t size = 0;  // of its data, where the walk stands
};

bool read_record(Walk& walk, Record& out) {
  if (!walk.name(out.owner) || !walk.number(out.type) || !walk.number(out.cls)) return false;
  if (!walk.number(4, out.ttl) || !walk.number(out.size)) return false;
  if (out.ttl > kTtlMost) out.ttl = 0;
  return true;
}

bool read_address(Walk& walk, std::size_t size, std::vector<conf::Ip>& out) {
  std::uint32_t word = 0;
  if (size == 4) {
    if (!walk.number(4, word)) return false;
    out.push_back(conf::Ip::v4(word));
    return true;
  }
  conf::Ip ip;
  for (std::uint8_t& byte : ip.bytes) {
    if (!walk.number(1, word)) return false;
    byte = static_cast<std::uint8_t>(word);
  }
  out.push_back(ip);
  return true;
}

bool read_service(Walk& walk, std::vector<DnsService>& out) {
  DnsService service;
  if (!walk.number(service.priority) || !walk.number(service.weight)) return false;
  if (!walk.number(service.port) || !walk.name(service.target)) return false;
  out.push_back(std::move(service));
  return true;
}

bool read_data(Walk& walk, DnsType type, std::size_t size, DnsAnswer& out) {
  switch (type) {
    case DnsType::a:
      return size == 4 && read_address(walk, size, out.addresses);
    case DnsType::aaaa:
      return size == 16 && read_address(walk, size, out.addresses);
    case DnsType::srv:
      return read_service(walk, out.services);
  }
  return false;
}

}  // namespace

std::optional<DnsAnswer> read_dns_answer(std::string_view message, DnsType type) {
  Walk walk(message);
  std::uint16_t questions = 0;
  std::uint16_t answers = 0;
  if (message.size() < kHeader || !walk.skip(4)) return std::nullopt;
  if (!walk.number(questions) || !walk.number(answers) || !walk.skip(4)) return std::nullopt;
  std::string name;
  if (questions != 1 || !walk.name(name) || !walk.skip(4)) return std::nullopt;
  DnsAnswer result;
  result.ttl = kTtlMost;
  Record record;
  for (unsigned i = 0; i < answers; ++i) {
    if (!read_record(walk, record)) return std::nullopt;
    const std::size_t end = walk.at() + record.size;
    if (end > message.size()) return std::nullopt;
    const bool alias = record.type == kCname;
    const bool wanted = record.type == static_cast<std::uint16_t>(type);
    if (record.cls == kInternet && record.owner == name && (alias || wanted)) {
      const bool read = alias ? walk.name(name) : read_data(walk, type, record.size, result);
      if (!read || walk.at() != end) return std::nullopt;
      result.ttl = std::min(result.ttl, record.ttl);
    } else {
      walk.skip(record.size);
    }
  }
  return result;
}

}  // namespace fairlead::wire
