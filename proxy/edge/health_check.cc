#include "proxy/edge/health_check.h"
#include "proxy/net/connect_fault.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "conf/units.h"
#include "proxy/wire/handshake.h"
#include "proxy/wire/head_writer.h"

namespace fairlead::edge {
namespace {

constexpr wire::HeadLimits kLimits{conf::bounds::kHeadBytes, conf::bounds::kHeadFields};
constexpr std::uint16_t kNormal = 1000;

std::span<const char> bytes_of(const std::uint64_t& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::string host_of(const conf::Health& settings, const conf::Address& address) {
  if (!settings.host.empty()) return settings.host;
  return address.kind == conf::Address::Kind::unix_path ? "localhost" : address.text();
}

// 16 random bytes in base64 (RFC 6455 4.1).
std::string handshake_key(Random& random) {
  const std::array<std::uint64_t, 2> bytes{random.next(), random.next()};
  std::string key = tls::base64url({reinterpret_cast<const char*>(bytes.data()), sizeof bytes});
  for (char& c : key) c = c == '-' ? '+' : c == '_' ? '/' : c;
  return key + "==";
}

}  // namespace

HealthCheck::HealthCheck(net::Loop& loop, Random& random, const conf::Health& settings,
                         Handler& handler)
    : loop_(loop),
      random_(random),
      settings_(settings),
      handler_(handler),
      connector_(loop, *this),
      timer_(loop.timers(), *this),
      scanner_(kLimits, wire::HeadScanner::Of::answer) {}

void HealthCheck::start(const conf::Address& address) {
  connector_.cancel();
  timer_.disarm();
  stream_.reset();
  scanner_ = wire::HeadScanner(kLimits, wire::HeadScanner::Of::answer);
  frames_ = {};
  counters_ = {};
  received_ = 0;
  deadline_ = loop_.now() + settings_.timeout;
  phase_ = Phase::connecting;
  if (settings_.type != conf::Health::Type::tcp) write_request(address);
  connector_.start(address, deadline_);
}

void HealthCheck::write_request(const conf::Address& address) {
  request_.clear();
  wire::HeadWriter head(request_);
  head.request_line("GET", settings_.path).field("Host", host_of(settings_, address));
  head.field("User-Agent", "Fairlead-Health");
  if (websocket()) {
    head.field("Connection", "Upgrade").field("Upgrade", "websocket");
    head.field("Sec-WebSocket-Version", "13").field("Sec-WebSocket-Key", handshake_key(random_));
    if (!settings_.subprotocol.empty()) head.field("Sec-WebSocket-Protocol", settings_.subprotocol);
  } else {
    head.field("Accept", "*/*").field("Connection", "close");
  }
  head.end();
}

void HealthCheck::on_connect_failed(int error_number) {
  if (net::is_our_shortage(error_number)) {
    return conclude(Outcome::unknown, net::error_text(error_number));
  }
  fail("connecting: " + net::error_text(error_number));
}

void HealthCheck::on_connected(std::unique_ptr<net::Stream> stream) {
  stream_ = std::move(stream);
  stream_->set_handler(*this);
  if (settings_.type == conf::Health::Type::tcp) return conclude(Outcome::passed, "");
  phase_ = Phase::head;
  timer_.arm(deadline_);
  stream_->want_read(true);
  if (!stream_->write(request_)) connection_ended();
}

void HealthCheck::on_readable(net::Stream& stream) {
  std::span<char> buffer = loop_.relay_buffer();
  const net::ReadResult got = stream.read(buffer);
  const std::string_view bytes(buffer.data(), got.n);
  received_ += got.n;
  if (phase_ == Phase::head) {
    read_head(bytes);
  } else if (phase_ == Phase::pong) {
    in_.append(bytes);
    read_frames();
  }
  if (!stream_->is_open()) return;
  if (got.status != net::IoStatus::ok) return connection_ended();
  if (received_ <= conf::bounds::kHealthBytes) return;
  if (phase_ == Phase::closing) return stream_->close();
  fail("it sent 64 KiB, and nothing that was waited for");
}

void HealthCheck::on_drained(net::Stream& stream) {
  if (stream.error() != 0) connection_ended();
}

void HealthCheck::on_timer(net::Timer&) {
  if (phase_ == Phase::closing) return stream_->close();
  fail((phase_ == Phase::pong ? "no Pong within " : "no answer within ") +
       conf::duration_text(settings_.timeout));
}

void HealthCheck::connection_ended() {
  if (phase_ == Phase::closing) return stream_->close();
  fail(phase_ == Phase::pong ? "the connection ended before the Pong"
                             : "the connection ended without an answer");
}

void HealthCheck::read_head(std::string_view bytes) {
  in_.append(bytes);
  std::size_t fresh = bytes.size();  // of in_, at its end: not scanned yet
  while (phase_ == Phase::head) {
    const auto state = scanner_.feed(std::string_view(in_).substr(in_.size() - fresh));
    if (state == wire::HeadScanner::State::error) return bad_answer(scanner_.flaw());
    if (state == wire::HeadScanner::State::more) return;
    const std::string head = in_.substr(0, scanner_.size());
    in_.erase(0, head.size());
    scanner_ = wire::HeadScanner(kLimits, wire::HeadScanner::Of::answer);
    fresh = in_.size();
    on_head(head);
  }
}

void HealthCheck::on_head(std::string_view bytes) {
  wire::ResponseHead head;
  if (wire::parse_response(bytes, head) != wire::HeadError::none) return bad_answer(head.flaw);
  if (head.status == 101 && websocket()) return on_switched(head);
  if (head.status != 101 && head.status < 200) return;  // interim: the answer is still to come
  const auto status = static_cast<std::uint32_t>(head.status);
  const bool good = settings_.status.first <= status && status <= settings_.status.last;
  if (good && !websocket()) return conclude(Outcome::passed, "");
  fail("it answered " + std::to_string(head.status) + (websocket() ? ", not 101" : ""));
}

void HealthCheck::on_switched(const wire::ResponseHead& answer) {
  wire::RequestHead asked;
  wire::parse_request(request_, asked);
  const wire::Agreed agreed = wire::check_answer(asked, answer);
  if (!agreed.ok) return fail(std::string("a bad 101: ") + agreed.why);
  if (agreed.subprotocol != settings_.subprotocol) {
    return fail("it did not agree to the subprotocol " + settings_.subprotocol);
  }
  send_ping();
}

wire::Masking HealthCheck::masking() {
  wire::Masking mask{true, {}};
  const std::uint64_t random = random_.next();
  std::memcpy(mask.key.data(), &random, mask.key.size());
  return mask;
}

void HealthCheck::send_ping() {
  phase_ = Phase::pong;
  nonce_ = random_.next();
  const auto ping = wire::make_control(wire::Opcode::ping, bytes_of(nonce_), masking());
  if (!stream_->write(ping.span())) return connection_ended();
  read_frames();
}

// What the server says of its own accord, a greeting for instance, passes by.
void HealthCheck::read_frames() {
  bool more = true;
  while (more && phase_ == Phase::pong) {
    const wire::ScanResult result = frames_.scan(in_, {}, {}, counters_);
    more = on_frame(result);
    in_.erase(0, std::min(in_.size(), result.pass + result.frame));
  }
  if (phase_ == Phase::closing) in_ = {};
}

// False when no event was left.
bool HealthCheck::on_frame(const wire::ScanResult& result) {
  using Event = wire::ScanResult::Event;
  const auto frame = std::span<const char>(in_).subspan(result.pass, result.frame);
  switch (result.event) {
    case Event::pong:
      on_pong(wire::control_payload(result.header, frame).view());
      return true;
    case Event::close:
      fail("it closed the session before the Pong");
      return true;
    case Event::violation:
      fail("it broke the protocol: " + std::string(wire::word(result.violation)));
      return true;
    case Event::ping:
      return true;
    case Event::none:
    case Event::empty:
    case Event::message_limit:
      break;
  }
  return false;
}

void HealthCheck::on_pong(std::string_view payload) {
  const auto wanted = bytes_of(nonce_);
  if (payload != std::string_view(wanted.data(), wanted.size())) return;
  phase_ = Phase::closing;
  stream_->write(wire::make_close(kNormal, "", masking()).span());
  handler_.on_checked(Outcome::passed, "");
}

void HealthCheck::conclude(Outcome outcome, const std::string& why) {
  phase_ = Phase::idle;
  timer_.disarm();
  if (stream_) stream_->close();
  in_ = {};
  handler_.on_checked(outcome, why);
}

}  // namespace fairlead::edge
