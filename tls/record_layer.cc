#include "tls/record_layer.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <string_view>

namespace fairlead::tls {

// RFC 8446 6.
enum class RecordLayer::Alert : std::uint8_t {
  close_notify = 0,
  unexpected_message = 10,
  bad_record_mac = 20,
  record_overflow = 22,
  illegal_parameter = 47,
  decode_error = 50,
  user_canceled = 90,
};

struct RecordLayer::Offence {
  Alert alert;
  const char* line;
};

// What only a connection in the middle of a record has.
struct RecordLayer::Held {
  std::string cipher;  // from `cipher_at`: not yet decrypted; comes before `in`
  std::string plain;   // from `plain_at`: decrypted, but `to` was full
  std::size_t cipher_at = 0;
  std::size_t plain_at = 0;

  std::span<const char> cipher_left() const { return std::span(cipher).subspan(cipher_at); }

  std::span<const char> plain_left() const { return std::span(plain).subspan(plain_at); }
};

namespace {

constexpr std::uint8_t kAlertType = 21;
constexpr std::uint8_t kHandshakeType = 22;
constexpr std::uint8_t kDataType = 23;
constexpr std::size_t kHeader = Direction::kHeader;

std::uint8_t octet(std::span<const char> bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

// Of the record whose header, at least, is there.
std::size_t record_size(std::span<const char> header) {
  return kHeader + octet(header, 3) * 256U + octet(header, 4);
}

// OpenSSL's own words for an alert that came, so that a log reads the same either way.
const char* alert_line(std::uint8_t alert) {
  const char* line = ERR_reason_error_string(
      ERR_PACK(ERR_LIB_SSL, 0, static_cast<unsigned long>(SSL_AD_REASON_OFFSET) + alert));
  return line == nullptr ? "unknown alert type" : line;
}

}  // namespace

// Null for a header that may come. RFC 8446 5: after the handshake nothing is unencrypted, not even
// a change_cipher_spec.
const RecordLayer::Offence* RecordLayer::offence_of(std::span<const char> header) {
  static constexpr Offence kType{Alert::unexpected_message, "unexpected record"};
  static constexpr Offence kLong{Alert::record_overflow, "encrypted length too long"};
  static constexpr Offence kShort{Alert::bad_record_mac, "decryption failed or bad record mac"};
  if (octet(header, 0) != kDataType) return &kType;
  const std::size_t size = record_size(header) - kHeader;
  if (size > kMaxCipher) return &kLong;
  return size < Direction::kTag ? &kShort : nullptr;
}

RecordLayer::Start::~Start() {
  OPENSSL_cleanse(read_secret.data(), read_secret.size());
  OPENSSL_cleanse(write_secret.data(), write_secret.size());
}

RecordLayer::RecordLayer() = default;

RecordLayer::~RecordLayer() = default;

bool RecordLayer::start(const Start& from) {
  const std::size_t size = secret_size(from.suite);
  role_ = from.role;
  update_after_ = from.update_after;
  max_plain_ = from.max_plain;
  return read_.start(from.suite, Use::open, std::span(from.read_secret).first(size), 0) &&
         write_.start(from.suite, Use::seal, std::span(from.write_secret).first(size),
                      from.written);
}

// --- what is held ---

RecordLayer::Held& RecordLayer::held() {
  if (!held_) held_ = std::make_unique<Held>();
  return *held_;
}

void RecordLayer::hold(std::span<const char> cipher) {
  if (!cipher.empty()) held().cipher.append(cipher.data(), cipher.size());
}

// Frees what was used up.
void RecordLayer::let_go() {
  if (!held_) return;
  if (held_->cipher_left().empty() && held_->plain_left().empty()) return held_.reset();
  if (held_->plain_left().empty()) {
    held_->plain = {};
    held_->plain_at = 0;
  }
  held_->cipher.erase(0, held_->cipher_at);
  held_->cipher_at = 0;
}

void RecordLayer::give_held_plain(std::span<char> to, std::size_t& n) {
  if (!held_) return;
  const std::span<const char> left = held_->plain_left();
  const std::size_t part = std::min(left.size(), to.size() - n);
  std::copy_n(left.data(), part, to.data() + n);
  held_->plain_at += part;
  n += part;
}

bool RecordLayer::has_pending() const {
  if (!held_ || error_ != nullptr) return false;
  if (!held_->plain_left().empty()) return true;
  const std::span<const char> cipher = held_->cipher_left();
  return cipher.size() >= kHeader &&
         (cipher.size() >= record_size(cipher) || offence_of(cipher) != nullptr);
}

// --- reading ---

Status RecordLayer::read(std::span<const char>& in, std::span<char> to, std::size_t& n,
                         std::string& out) {
  n = 0;
  if (error_ != nullptr) return Status::error;
  const bool keeps_rest = to.size() >= in.size();
  Status status = Status::ok;
  give_held_plain(to, n);
  if (read_closed_) status = Status::closed;
  while (n < to.size() && status == Status::ok) {
    std::span<const char> record;
    status = next(in, record, out);
    if (status == Status::ok) status = take(record, to, n, out);
  }
  if (status == Status::error) return status;
  if (status == Status::closed) {  // RFC 8446 6.1: what follows a close_notify is ignored
    in = {};
    held_.reset();
    return status;
  }
  if (keeps_rest && !in.empty()) {
    hold(in);
    in = {};
  }
  let_go();
  return status == Status::want_input && n > 0 ? Status::ok : status;
}

// The next whole record, from what is held or straight from `in`. want_input: `in` is used up.
Status RecordLayer::next(std::span<const char>& in, std::span<const char>& record,
                         std::string& out) {
  if (held_ && !held_->cipher_left().empty()) return complete(in, record, out);
  if (in.size() >= kHeader) {
    const Status refused = judge_header(in, out);
    if (refused != Status::ok) return refused;
    const std::size_t size = record_size(in);
    if (in.size() >= size) {
      record = in.first(size);
      in = in.subspan(size);
      return Status::ok;
    }
  }
  if (held_) {  // the record it was is used up
    held_->cipher.clear();
    held_->cipher_at = 0;
  }
  hold(in);
  in = {};
  return Status::want_input;
}

// Of what is held, taking from `in` what the first record still lacks.
Status RecordLayer::complete(std::span<const char>& in, std::span<const char>& record,
                             std::string& out) {
  std::size_t want = kHeader;
  for (;;) {
    const std::size_t have = held_->cipher_left().size();
    if (have < want) {
      const std::size_t part = std::min(want - have, in.size());
      hold(in.first(part));
      in = in.subspan(part);
      if (have + part < want) return Status::want_input;
    }
    if (want > kHeader) break;
    const Status refused = judge_header(held_->cipher_left(), out);
    if (refused != Status::ok) return refused;
    want = record_size(held_->cipher_left());
  }
  record = held_->cipher_left().first(want);
  held_->cipher_at += want;
  return Status::ok;
}

// As soon as the header is there, so that nothing that is refused is gathered.
Status RecordLayer::judge_header(std::span<const char> header, std::string& out) {
  const Offence* offence = offence_of(header);
  return offence == nullptr ? Status::ok : fail(offence->alert, offence->line, out);
}

// RFC 8446 5.2 and 5.4: content, its type, zeros.
Status RecordLayer::take(std::span<const char> record, std::span<char> to, std::size_t& n,
                         std::string& out) {
  const std::size_t size = record.size() - kHeader - Direction::kTag;
  const bool in_place = to.size() - n >= size;
  std::string aside;
  if (!in_place) aside.resize(size);
  char* inner = in_place ? to.data() + n : aside.data();
  if (!read_.open(record, inner)) {
    return fail(Alert::bad_record_mac, "decryption failed or bad record mac", out);
  }
  std::size_t end = size;
  while (end > 0 && inner[end - 1] == '\0') --end;
  if (end == 0) return fail(Alert::unexpected_message, "no content type", out);
  const std::span<const char> content(inner, end - 1);
  if (content.size() > max_plain_)  // RFC 6066 4
    return fail(Alert::record_overflow, "data length too long", out);
  switch (octet({inner, end}, end - 1)) {
    case kDataType:
      if (!in_place && !content.empty()) {
        // RFC 8446 5.1, before any of it is given out.
        aside.resize(content.size());
        held().plain = std::move(aside);
        held().plain_at = 0;
        return take_data(held_->plain_left(), to, n, out);
      }
      return take_data(content, to, n, out);
    case kAlertType:
      return take_alert(content, out);
    case kHandshakeType:
      return take_messages(content, out);
    default:
      return fail(Alert::unexpected_message, "unexpected record", out);
  }
}

// `content` stands at `to` + n, or is what is held.
Status RecordLayer::take_data(std::span<const char> content, std::span<char> to, std::size_t& n,
                              std::string& out) {
  if (messages_.in_message()) {
    return fail(Alert::unexpected_message, "mixed handshake and non handshake data", out);
  }
  if (content.empty()) return count_idle(out);
  idle_ = 0;
  if (content.data() == to.data() + n) {
    n += content.size();
  } else {
    give_held_plain(to, n);
  }
  return Status::ok;
}

Status RecordLayer::count_idle(std::string& out) {
  if (++idle_ <= kMaxIdle) return Status::ok;
  return fail(Alert::unexpected_message, "too many records without data", out);
}

// RFC 8446 6: the level says nothing.
Status RecordLayer::take_alert(std::span<const char> content, std::string& out) {
  if (content.empty()) return fail(Alert::unexpected_message, "invalid alert", out);
  if (content.size() != 2) return fail(Alert::decode_error, "invalid alert", out);
  const std::uint8_t alert = octet(content, 1);
  if (alert == static_cast<std::uint8_t>(Alert::close_notify)) {
    read_closed_ = true;
    read_.stop();
    return Status::closed;
  }
  if (alert == static_cast<std::uint8_t>(Alert::user_canceled)) return count_idle(out);
  return stop(alert_line(alert));
}

Status RecordLayer::take_messages(std::span<const char> content, std::string& out) {
  using Event = PostHandshake::Event;
  if (content.empty()) return fail(Alert::unexpected_message, "unexpected message", out);
  Status status = count_idle(out);
  while (!content.empty() && status == Status::ok) {
    switch (const Event event = messages_.take(content)) {
      case Event::none:
        break;
      case Event::ticket:
        if (role_ == Role::client) break;
        [[fallthrough]];
      case Event::unexpected:
        status = fail(Alert::unexpected_message, "unexpected message", out);
        break;
      case Event::undecodable:
        status = fail(Alert::decode_error, "length mismatch", out);
        break;
      case Event::illegal:
        status = fail(Alert::illegal_parameter, "invalid key update type", out);
        break;
      case Event::update:
      case Event::update_and_answer:
        status = follow_update(event == Event::update_and_answer, content.empty(), out);
        break;
    }
  }
  return status;
}

Status RecordLayer::follow_update(bool answer, bool at_end, std::string& out) {
  // RFC 8446 5.1: no record holds bytes of two keys.
  if (!at_end) return fail(Alert::unexpected_message, "not on record boundary", out);
  if (!read_.update()) return stop("no memory for the next keys");
  answer_update_ = answer_update_ || answer;
  return Status::ok;
}

// --- writing ---

Status RecordLayer::write(std::span<const char> plain, std::string& out) {
  if (error_ != nullptr) return Status::error;
  if (write_closed_) return stop("protocol is shutdown");
  const std::size_t most = max_plain_;
  const std::size_t records = (plain.size() + most - 1) / most;
  out.reserve(out.size() + plain.size() + records * (kHeader + 1 + Direction::kTag));
  while (!plain.empty()) {
    const std::span<const char> part = plain.first(std::min(plain.size(), most));
    const bool due = answer_update_ || write_.sequence() >= update_after_;
    if ((due && !update_own_keys(out)) || !write_.seal(kDataType, part, out)) {
      return stop("no memory to encrypt");
    }
    plain = plain.subspan(part.size());
  }
  return Status::ok;
}

// RFC 8446 4.6.3: update_not_requested, so that two sides never answer each other for ever.
bool RecordLayer::update_own_keys(std::string& out) {
  constexpr std::array<char, 5> kMessage{24, 0, 0, 1, 0};
  answer_update_ = false;
  return write_.seal(kHandshakeType, kMessage, out) && write_.update();
}

void RecordLayer::close_notify(std::string& out) {
  if (error_ != nullptr || write_closed_) return;
  constexpr std::array<char, 2> kWarning{1, static_cast<char>(Alert::close_notify)};
  write_.seal(kAlertType, kWarning, out);
  write_closed_ = true;
  write_.stop();
}

// --- the end ---

// With an alert, unless close_notify was our last word.
Status RecordLayer::fail(Alert alert, const char* line, std::string& out) {
  const std::array<char, 2> fatal{2, static_cast<char>(alert)};
  if (!write_closed_) write_.seal(kAlertType, fatal, out);
  return stop(line);
}

// RFC 8446 6.2: both sides forget the keys.
Status RecordLayer::stop(const char* line) {
  error_ = line;
  read_.stop();
  write_.stop();
  held_.reset();
  return Status::error;
}

}  // namespace fairlead::tls
