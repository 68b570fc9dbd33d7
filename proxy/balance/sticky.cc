#include "proxy/balance/sticky.h"

#include <array>
#include <chrono>
#include <span>

#include "proxy/balance/cookies.h"
#include "proxy/balance/picker.h"
#include "tls/digest.h"

namespace fairlead::balance {
namespace {

constexpr std::size_t kIdBytes = 18;  // 24 characters of base64url; nobody guesses 144 bits
constexpr unsigned kMaxCookies = 8;   // of our name in one request
constexpr std::size_t kSecretBytes = 32;

std::string id_of(std::string_view secret, std::string_view backend, std::string_view server) {
  std::string text = "fairlead sticky v1";
  text += '\0';
  text += backend;
  text += '\0';
  text += server;
  return tls::base64url(std::string_view(tls::hmac_sha256(secret, text)).substr(0, kIdBytes));
}

std::string random_secret() {
  std::array<char, kSecretBytes> bytes{};
  tls::random_bytes(std::span<char>(bytes));
  return std::string(bytes.begin(), bytes.end());
}

std::string_view same_site_word(conf::Sticky::SameSite same_site) {
  switch (same_site) {
    case conf::Sticky::SameSite::lax:
      return "Lax";
    case conf::Sticky::SameSite::strict:
      return "Strict";
    case conf::Sticky::SameSite::none:
      return "None";
  }
  return "Lax";
}

// All ids are compared, and each in constant time: an answer's time tells nothing about them.
std::size_t server_of(const std::vector<std::string>& ids, std::string_view value) {
  std::size_t found = kNoServer;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (tls::equal_constant_time(ids[i], value) && found == kNoServer) found = i;
  }
  return found;
}

}  // namespace

Sticky::Sticky(const conf::Sticky& settings, std::string_view backend,
               const std::vector<std::string>& servers, const Sticky* previous,
               std::string_view made)
    : settings_(settings), random_secret_(settings.secret.empty()) {
  if (random_secret_) {
    const bool goes_on = previous != nullptr && previous->random_secret_;
    settings_.secret = goes_on ? previous->settings_.secret : std::string(made);
    if (settings_.secret.empty()) settings_.secret = random_secret();
  }
  ids_.reserve(servers.size());
  for (const auto& server : servers) ids_.push_back(id_of(settings_.secret, backend, server));
}

std::size_t Sticky::find(const wire::Fields& fields) const {
  std::size_t found = kNoServer;
  unsigned seen = 0;
  const auto look = [&](std::string_view value) {
    found = server_of(ids_, value);
    return found == kNoServer && ++seen < kMaxCookies;
  };
  for_each_cookie(fields, settings_.cookie, look);
  return found;
}

std::string Sticky::set_cookie(std::size_t server, bool secure) const {
  std::string text = settings_.cookie + "=" + ids_[server] + "; Path=/; HttpOnly; SameSite=";
  text += same_site_word(settings_.same_site);
  if (settings_.max_age) {
    // Rounded up: Max-Age=0 would delete the cookie (RFC 6265 5.2.2).
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*settings_.max_age);
    text += "; Max-Age=" + std::to_string(seconds.count());
  }
  if (secure) text += "; Secure";
  return text;
}

}  // namespace fairlead::balance
