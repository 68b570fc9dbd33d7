#include "proxy/rules/ip_limits.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "tls/digest.h"

namespace fairlead::rules {
namespace {

// How many hash buckets a new address looks at: in passing, and when its stripe is full.
constexpr std::size_t kSweepAlways = 2;
constexpr std::size_t kSweepFull = 64;

// The finalizer of MurmurHash3: a bijection, so two addresses of one family never share a whole
// hash.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdULL;
  x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53ULL;
  return x ^ (x >> 33);
}

std::uint64_t random_seed() {
  std::array<char, sizeof(std::uint64_t)> bytes{};
  tls::random_bytes(std::span<char>(bytes));
  std::uint64_t seed = 0;
  std::memcpy(&seed, bytes.data(), sizeof(seed));
  return seed;
}

}  // namespace

std::size_t IpLimits::KeyHash::operator()(const Key& key) const {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, key.bytes.data(), sizeof(high));
  std::memcpy(&low, key.bytes.data() + sizeof(high), sizeof(low));
  return mix(mix(high ^ seed) ^ low);
}

IpLimits::Table::Table(std::size_t max_entries)
    : max_per_stripe(std::max<std::size_t>(1, max_entries / kStripes)), seed(random_seed()) {
  for (auto& stripe : stripes) stripe.entries = decltype(stripe.entries)(0, KeyHash{seed});
}

IpLimits::IpLimits(const conf::Limits& limits, std::size_t max_entries)
    : rate_(limits.handshakes_per_ip),
      connections_(limits.connections_per_ip),
      table_(std::make_shared<Table>(max_entries)) {}

IpLimits::IpLimits(const conf::Limits& limits, std::shared_ptr<Table> table)
    : rate_(limits.handshakes_per_ip),
      connections_(limits.connections_per_ip),
      table_(std::move(table)) {}

IpLimits::Key IpLimits::key_of(const conf::Ip& ip) {
  Key key{ip.bytes};
  // A /64 is what one subscriber has at least: single IPv6 addresses cost nothing.
  if (!ip.is_v4()) std::fill(key.bytes.begin() + 8, key.bytes.end(), std::uint8_t{0});
  return key;
}

IpLimits::Stripe& IpLimits::stripe(const Key& key) const {
  // The top bits: the map inside uses the hash modulo its size.
  return table_->stripes[std::uint64_t{KeyHash{table_->seed}(key)} >> 58];
}

bool IpLimits::idle(Entry& entry, Clock::time_point now) const {
  return entry.open == 0 && entry.bucket.full(now);
}

void IpLimits::forget_idle(Stripe& stripe, std::size_t buckets, Clock::time_point now) const {
  auto& entries = stripe.entries;
  for (std::size_t i = 0; i < buckets && !entries.empty(); ++i) {
    const std::size_t bucket = stripe.cursor++ % entries.bucket_count();
    for (auto it = entries.begin(bucket); it != entries.end(bucket);) {
      auto& [key, entry] = *it++;
      if (idle(entry, now)) entries.erase(Key{key});
    }
  }
}

IpLimits::Entry* IpLimits::entry(Stripe& stripe, const Key& key, Clock::time_point now) const {
  auto& entries = stripe.entries;
  if (const auto it = entries.find(key); it != entries.end()) return &it->second;
  forget_idle(stripe, entries.size() < table_->max_per_stripe ? kSweepAlways : kSweepFull, now);
  if (entries.size() >= table_->max_per_stripe) return nullptr;
  return &entries.emplace(key, Entry{rate_ ? TokenBucket(*rate_, now) : TokenBucket(), 0})
              .first->second;
}

IpLimits::Entered IpLimits::enter(const conf::Ip& ip, Clock::time_point now) {
  if (!rate_ && !connections_) return {};
  const Key key = key_of(ip);
  Stripe& home = stripe(key);
  const std::lock_guard lock(home.mutex);
  Entry* const found = entry(home, key, now);
  if (!found) return {};
  if (rate_ && !found->bucket.is_for(*rate_)) found->bucket = TokenBucket(*rate_, now);
  if (rate_ && !found->bucket.take(1, now)) {
    return {Answer::rate, found->bucket.wait(1, now), false};
  }
  if (!connections_) return {};
  if (found->open >= *connections_) {
    if (idle(*found, now)) home.entries.erase(key);
    return {Answer::connections, conf::Millis{0}, false};
  }
  ++found->open;
  return {Answer::ok, conf::Millis{0}, true};
}

void IpLimits::leave(const conf::Ip& ip) {
  const Key key = key_of(ip);
  Stripe& home = stripe(key);
  const std::lock_guard lock(home.mutex);
  const auto it = home.entries.find(key);
  if (it == home.entries.end() || it->second.open == 0) return;
  // With a rate the entry stays until its bucket is full: leaving must not buy a new one.
  if (--it->second.open == 0 && !it->second.bucket.limits()) home.entries.erase(it);
}

std::uint32_t IpLimits::open(const conf::Ip& ip) const {
  const Key key = key_of(ip);
  const Stripe& home = stripe(key);
  const std::lock_guard lock(home.mutex);
  const auto it = home.entries.find(key);
  return it == home.entries.end() ? 0 : it->second.open;
}

std::size_t IpLimits::entries() const {
  std::size_t sum = 0;
  for (const auto& stripe : table_->stripes) {
    const std::lock_guard lock(stripe.mutex);
    sum += stripe.entries.size();
  }
  return sum;
}

}  // namespace fairlead::rules
