#include "proxy/edge/admin_server.h"

#include <optional>
#include <utility>

#include "proxy/net/stream.h"
#include "proxy/wire/body_scanner.h"
#include "proxy/wire/head_parser.h"
#include "proxy/wire/head_writer.h"

namespace fairlead::edge {
namespace {

constexpr wire::HeadLimits kHeadLimits{conf::bounds::kHeadBytes, conf::bounds::kHeadFields};

observe::AdminAnswer head_refusal(wire::HeadError error) {
  switch (error) {
    case wire::HeadError::none:
    case wire::HeadError::malformed:
      break;
    case wire::HeadError::too_large:
    case wire::HeadError::too_many_fields:
      return observe::admin_error(431, "the request's head is too large");
    case wire::HeadError::unsupported_version:
      return observe::admin_error(505, "this is no HTTP/1.1");
    case wire::HeadError::unsupported_transfer_coding:
      return observe::admin_error(501, "unknown transfer coding");
    case wire::HeadError::unsupported_method:
      return observe::admin_error(501, "unknown method");
  }
  return observe::admin_error(400, "malformed request");
}

// What the dashboard may do in a browser: load its own files and ask its own endpoint.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

std::string serialised(const observe::AdminAnswer& answer, bool with_body) {
  std::string out;
  wire::HeadWriter head(out);
  head.status_line(answer.status, "");
  head.field("Content-Type", answer.type);
  if (!answer.stream) head.field("Content-Length", std::to_string(answer.body.size()));
  head.field("Cache-Control", "no-store").field("X-Content-Type-Options", "nosniff");
  head.field("Cross-Origin-Resource-Policy", "same-origin");
  head.field("Content-Security-Policy", kPolicy).field("Referrer-Policy", "no-referrer");
  if (!answer.allow.empty()) head.field("Allow", answer.allow);
  if (answer.status == 401) head.field("WWW-Authenticate", "Bearer");
  head.field("Connection", "close");
  head.end();
  if (with_body) out += answer.body;
  return out;
}

}  // namespace

// A stream as its sender has it: finds the connection by id, if there still is one.
class AdminServer::Events final : public observe::EventStream {
 public:
  Events(const AdminServer& server, std::uint64_t id) : server_(server.self_), id_(id) {}

  bool send(std::string_view event) override;
  void on_end(std::function<void()> call) override;
  void end() override;

 private:
  Connection* connection() const;

  std::weak_ptr<AdminServer*> server_;
  std::uint64_t id_;
};

class AdminServer::Connection final : net::Stream::Handler, net::Timer::Handler {
 public:
  Connection(AdminServer& server, std::uint64_t id, net::Fd fd)
      : server_(server),
        id_(id),
        stream_(server.loop_, fd.release()),
        timer_(server.loop_.timers(), *this),
        scanner_(kHeadLimits) {
    stream_.set_handler(*this);
    stream_.want_read(true);
    timer_.arm(server_.loop_.now() + kRequestTime);
  }

  // A deferred answer.
  void answer_late(const observe::AdminAnswer& made) {
    if (state_ != State::waiting) return;
    if (made.stream && request_.method != "HEAD" && !eof_) return begin_stream(made);
    answer(made);
    if (eof_ && !stream_.blocked()) die();
  }

  bool send_event(std::string_view event) {
    if (state_ != State::streaming) return false;
    if (stream_.held_bytes() + event.size() > kStreamBytes) {
      ++lost_;
      return true;
    }
    if (lost_ != 0) {
      const std::string text = observe::event_text("lost", std::to_string(lost_));
      if (!stream_.write(text)) return die(), false;
      lost_ = 0;
    }
    sent_ = true;
    if (!stream_.write(event)) die();
    return state_ == State::streaming;
  }

  void call_at_end(std::function<void()> call) {
    if (state_ == State::streaming) on_end_ = std::move(call);
  }

  std::uint64_t id() const { return id_; }

  net::TimePoint since() const { return since_; }

  // Who goes first where places are short; 0: not this one.
  int slowness() const {
    if (state_ == State::head || state_ == State::body) return 2;
    return state_ == State::ending ? 1 : 0;
  }

  void die() {
    if (state_ == State::dead) return;
    if (state_ == State::streaming) leave_stream();
    state_ = State::dead;
    timer_.disarm();
    stream_.close();
    server_.died(id_);
  }

  void end_stream() {
    if (state_ != State::streaming) return;
    leave_stream();
    state_ = State::ending;
    timer_.arm(server_.loop_.now() + kAnswerTime);
    stream_.finish();
  }

 private:
  enum class State : std::uint8_t { head, body, waiting, streaming, ending, dead };

  void on_readable(net::Stream&) override {
    const auto buffer = server_.loop_.relay_buffer();
    const net::ReadResult result = stream_.read(buffer);
    if (result.n != 0) take({buffer.data(), result.n});
    if (state_ == State::dead || result.status == net::IoStatus::ok) return;
    const bool answered = state_ == State::ending;
    if (result.status == net::IoStatus::error || (!answered && state_ != State::waiting)) {
      return die();
    }
    // It has sent all it will, and may want the answer.
    eof_ = true;
    stream_.want_read(false);
    if (answered && !stream_.blocked()) die();
  }

  void on_drained(net::Stream&) override {
    if (stream_.error() != 0 || (eof_ && state_ == State::ending)) die();
  }

  void on_timer(net::Timer&) override {
    // A connection made in advance and not used has nothing to be answered (RFC 9110 15.5.9).
    if (state_ == State::ending || text_.empty()) return die();
    if (state_ == State::streaming) return check_stream();
    if (state_ == State::waiting) {
      return answer_late(observe::admin_error(504, "the answer did not come in time"));
    }
    answer(observe::admin_error(408, "the request did not come in time"));
  }

  void check_stream() {
    const net::TimePoint now = server_.loop_.now();
    if (stream_.blocked() && stream_.stalled(kStreamStall)) return die();
    if (!std::exchange(sent_, false)) send_event(":\n\n");
    sent_ = false;
    if (state_ == State::streaming) timer_.arm(now + kStreamCheck);
  }

  void take(std::string_view bytes) {
    if (state_ == State::head) {
      take_head(bytes);
    } else if (state_ == State::body) {
      take_body(bytes);
    }
  }

  void take_head(std::string_view bytes) {
    using Scan = wire::HeadScanner::State;
    const std::size_t before = text_.size();
    const Scan scan = scanner_.feed(bytes);
    if (scan == Scan::error) return answer(head_refusal(scanner_.error()));
    const std::size_t used = scan == Scan::complete ? scanner_.size() - before : bytes.size();
    text_.append(bytes.substr(0, used));
    if (scan == Scan::more) return;
    const wire::HeadError error = wire::parse_request(text_, request_);
    if (error != wire::HeadError::none) return answer(head_refusal(error));
    const wire::Framing framing = wire::request_framing(request_);
    if (framing.kind == wire::Framing::Kind::length && framing.length > kBodyBytes) {
      return refuse_body();
    }
    body_scanner_.emplace(framing);
    state_ = State::body;
    if (wire::iequals(request_.fields.get("Expect"), "100-continue") && used == bytes.size()) {
      if (!stream_.write(std::string_view("HTTP/1.1 100 Continue\r\n\r\n"))) return die();
    }
    take_body(bytes.substr(used));
  }

  void take_body(std::string_view bytes) {
    using Scan = wire::BodyScanner::State;
    while (body_scanner_->state() == Scan::more && !bytes.empty()) {
      const wire::BodyScanner::Part part = body_scanner_->next(bytes);
      const std::size_t size = std::min(part.payload, part.taken);
      if (body_.size() + size > kBodyBytes) return refuse_body();
      body_.append(bytes.substr(part.taken - size, size));
      bytes.remove_prefix(part.taken);
    }
    if (body_scanner_->state() == Scan::more) return;
    if (body_scanner_->state() == Scan::error) {
      return answer(observe::admin_error(400, "malformed body"));
    }
    begin(server_.handler_(request_, body_));
  }

  void begin(observe::AdminAnswer made) {
    if (made.stream && request_.method != "HEAD") return begin_stream(std::move(made));
    if (!made.later) return answer(made);
    state_ = State::waiting;
    timer_.arm(server_.loop_.now() + kAnswerTime);
    made.later([server = std::weak_ptr(server_.self_), id = id_](const auto& late) {
      const auto held = server.lock();
      if (Connection* asking = held ? (*held)->find(id) : nullptr) asking->answer_late(late);
    });
  }

  void begin_stream(observe::AdminAnswer made) {
    if (server_.streams_ >= kStreams) {
      return answer(observe::admin_error(503, "too many streams of events are open"));
    }
    ++server_.streams_;
    state_ = State::streaming;
    made.type = "text/event-stream";
    timer_.arm(server_.loop_.now() + kStreamCheck);
    if (!stream_.write(serialised(made, false))) return die();
    made.stream(std::make_shared<Events>(server_, id_));
  }

  void leave_stream() {
    --server_.streams_;
    if (!on_end_) return;
    server_.ended_.push_back(std::exchange(on_end_, nullptr));
    server_.undertaker_.arm_by(server_.loop_.now());
  }

  void refuse_body() { answer(observe::admin_error(413, "the body is larger than 64 KiB")); }

  // To close with bytes unread would reset the connection and could take the answer from the client
  // (RFC 9112 9.6).
  void answer(const observe::AdminAnswer& made) {
    state_ = State::ending;
    timer_.arm(server_.loop_.now() + kAnswerTime);
    if (!stream_.write(serialised(made, request_.method != "HEAD"))) return die();
    stream_.finish();
  }

  AdminServer& server_;
  const std::uint64_t id_;
  const net::TimePoint since_ = server_.loop_.now();
  State state_ = State::head;
  bool eof_ = false;
  bool sent_ = false;       // an event, since the last check
  std::uint64_t lost_ = 0;  // events there was no room for
  std::function<void()> on_end_;
  net::Stream stream_;
  net::Timer timer_;  // for the request, then for the end
  wire::HeadScanner scanner_;
  std::string text_;           // of the head
  wire::RequestHead request_;  // views into it
  std::optional<wire::BodyScanner> body_scanner_;
  std::string body_;
};

AdminServer::Connection* AdminServer::Events::connection() const {
  const auto server = server_.lock();
  return server ? (*server)->find(id_) : nullptr;
}

bool AdminServer::Events::send(std::string_view event) {
  Connection* to = connection();
  return to != nullptr && to->send_event(event);
}

void AdminServer::Events::on_end(std::function<void()> call) {
  if (Connection* to = connection()) to->call_at_end(std::move(call));
}

void AdminServer::Events::end() {
  if (Connection* to = connection()) to->end_stream();
}

AdminServer::AdminServer(net::Loop& loop, int listening, Handler handler)
    : loop_(loop),
      handler_(std::move(handler)),
      undertaker_(loop.timers(), *this),
      acceptor_(std::in_place, loop, listening, std::size_t{0},
                static_cast<net::Acceptor::Handler&>(*this)) {}

AdminServer::~AdminServer() = default;

// The oldest that has not asked yet, else the oldest that does not read its answer. A check asks
// and reads at once: it never has to go.
bool AdminServer::make_room(net::TimePoint before) {
  Connection* slowest = nullptr;
  for (const auto& [id, one] : connections_) {
    if (one->slowness() == 0 || one->since() >= before) continue;
    const bool slower = slowest == nullptr || one->slowness() > slowest->slowness() ||
                        (one->slowness() == slowest->slowness() && id < slowest->id());
    if (slower) slowest = one.get();
  }
  if (slowest != nullptr) slowest->die();
  return slowest != nullptr;
}

void AdminServer::on_accept(net::Fd fd, const net::PeerAddress&, std::size_t) {
  if (connections() >= kConnections && !make_room(net::TimePoint::max())) return;
  const std::uint64_t id = ++last_id_;
  connections_.emplace(id, std::make_unique<Connection>(*this, id, std::move(fd)));
}

// Out of descriptors: those that are slow give theirs to who waits at the door. Not who came just
// now: accept reports the shortage once it has given the last descriptor away.
void AdminServer::on_accept_paused(int) {
  for (int i = 0; i < kMadeRoom && make_room(loop_.now()); ++i) {
  }
}

AdminServer::Connection* AdminServer::find(std::uint64_t id) const {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : found->second.get();
}

void AdminServer::end_streams() {
  for (const auto& [id, connection] : connections_) connection->end_stream();
}

void AdminServer::died(std::uint64_t id) {
  dead_.push_back(id);
  undertaker_.arm_by(loop_.now());
}

void AdminServer::on_timer(net::Timer&) {
  for (const std::uint64_t id : std::exchange(dead_, {})) connections_.erase(id);
  for (const auto& call : std::exchange(ended_, {})) call();
}

}  // namespace fairlead::edge
