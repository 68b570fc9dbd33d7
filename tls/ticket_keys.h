#pragma once
// Keys of session tickets (RFC 5077 section 4, RFC 8446 4.6.1): those of a file, which several
// processes share, so that each resumes what another one began; and those that are made up, which
// change by themselves, so that who steals one cannot read what was recorded long before.

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct ssl_ctx_st;

namespace fairlead::tls {

// One key as nginx's ssl_session_ticket_key has it. 80 bytes: a name of 16, 32 for HMAC-SHA256, 32
// for AES-256-CBC. 48 bytes: a name of 16, 16 for AES-128-CBC, 16 for HMAC-SHA256.
struct TicketKey {
  std::array<unsigned char, 16> name{};
  std::string cipher_key;
  std::string mac_key;

  TicketKey() = default;
  TicketKey(const TicketKey&) = default;
  TicketKey(TicketKey&&) = default;
  TicketKey& operator=(const TicketKey&) = default;
  TicketKey& operator=(TicketKey&&) = default;
  ~TicketKey();  // cleanses
};

// Of the length's multiples that both sizes have (240 bytes) the 80 bytes are meant. Empty: that is
// no list of keys, or there are more than conf::bounds::kTicketKeys.
std::vector<TicketKey> parse_ticket_keys(std::string_view bytes);

// Tickets are encrypted with the first key and accepted under any; one under another than the first
// is replaced. Any thread may use it: a handshake takes its lock once a ticket.
class TicketKeyRing {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::hours kLife{12};  // of a made key, until the next one encrypts
  static constexpr std::size_t kMadeKeys = 3;     // that one, and the two before

  // Those of a file, one at least: they stay.
  explicit TicketKeyRing(std::vector<TicketKey> keys);
  ~TicketKeyRing();
  TicketKeyRing(const TicketKeyRing&) = delete;
  TicketKeyRing& operator=(const TicketKeyRing&) = delete;

  // One key that nobody has had, which rotate() follows by others.
  static std::shared_ptr<TicketKeyRing> made(Clock::time_point now);
  // Those that another process has made, as its bytes(): the first encrypts since `age`. Null:
  // these are none.
  static std::shared_ptr<TicketKeyRing> taken_over(std::string_view bytes, std::chrono::seconds age,
                                                   Clock::time_point now);

  bool is_made() const { return made_; }

  // 80 bytes each, the first one first. The caller cleanses them.
  std::string bytes() const;
  // How long the first key has been in use.
  std::chrono::seconds age(Clock::time_point now) const;
  // A new key encrypts where the one before has had its time. False: it is not due, or never.
  bool rotate(Clock::time_point now);

  // Copies for one ticket. Nothing: there is no key of that name.
  TicketKey first() const;

  struct Found {
    TicketKey key;
    bool is_first = false;
  };

  std::optional<Found> find(const unsigned char* name) const;  // 16 bytes

 private:
  mutable std::mutex mutex_;
  std::vector<TicketKey> keys_;
  Clock::time_point since_{};
  bool made_ = false;
};

// The context's tickets are under these keys from now on, as long as it lives. False: it failed.
bool use_ticket_keys(ssl_ctx_st* context, std::shared_ptr<TicketKeyRing> keys);
// Null: it has none.
std::shared_ptr<TicketKeyRing> ticket_keys_of(const ssl_ctx_st* context);

}  // namespace fairlead::tls
