#include "tests/support/flow_rig.h"

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "tests/support/catch.h"
#include "tls/self_signed.h"

namespace fairlead::test {
namespace {

std::shared_ptr<const tls::ServerContext> server_context() {
  static const auto kContext = [] {
    tls::SelfSigned made = tls::make_self_signed();
    return tls::ServerContext::from_pem(made.certificate, made.key,
                                        conf::ListenerTls::Version::tls12)
        .context;
  }();
  return kContext;
}

std::shared_ptr<spdlog::logger> make_logger(std::ostringstream& out) {
  auto logger = std::make_shared<spdlog::logger>(
      "access", std::make_shared<spdlog::sinks::ostream_sink_st>(out));
  logger->set_pattern("%v");
  return logger;
}

}  // namespace

// --- frames, naively
// -------------------------------------------------------------------------------

std::string close_payload(unsigned code, std::string_view reason) {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 255)};
  return payload.append(reason);
}

std::ostream& operator<<(std::ostream& out, const Seen& seen) {
  return out << "{" << seen.opcode << (seen.fin ? " fin " : " ") << seen.payload.size() << ": "
             << seen.payload.substr(0, 40) << "}";
}

Parsed parse_frames(std::string_view bytes, bool masked) {
  Parsed out;
  bool in_message = false;
  bool closed = false;
  auto wrong = [&](const char* what) {
    if (out.wrong.empty()) out.wrong = what;
  };
  auto at = [&](std::size_t i) {
    return static_cast<unsigned>(static_cast<unsigned char>(bytes[i]));
  };
  while (!bytes.empty()) {
    if (closed) wrong("bytes behind a Close");
    out.rest = bytes.size();
    if (bytes.size() < 2) return out;
    Seen seen{at(0) & 15, "", (at(0) & 128) != 0};
    if ((at(0) & 0x70) != 0) wrong("reserved bits");
    if (((at(1) & 128) != 0) != masked) wrong("mask bit");
    std::size_t length = at(1) & 127;
    std::size_t head = length < 126 ? 2 : length == 126 ? 4 : 10;
    if (bytes.size() < head) return out;
    if (head > 2) {
      length = 0;
      for (std::size_t i = 2; i < head; ++i) length = length * 256 + at(i);
    }
    std::size_t key = head;
    head += masked ? 4 : 0;
    bool control = seen.opcode >= 8;
    if (control && (!seen.fin || length > 125)) wrong("a control frame too long or in fragments");
    if (!control && (seen.opcode > 2 || (seen.opcode == 0) != in_message))
      wrong("opcode out of order");
    if (bytes.size() < head + length) return out;
    seen.payload = bytes.substr(head, length);
    for (std::size_t i = 0; masked && i < length; ++i) {
      seen.payload[i] = static_cast<char>(seen.payload[i] ^ bytes[key + i % 4]);
    }
    if (!control) in_message = !seen.fin;
    closed = closed || seen.opcode == 8;
    out.frames.push_back(std::move(seen));
    bytes.remove_prefix(head + length);
    out.rest = 0;
  }
  return out;
}

// --- an end
// ----------------------------------------------------------------------------------------

void FarEnd::send(std::string_view bytes) {
  if (engine_ && ready_) {
    REQUIRE(engine_->write(bytes, outbox_) == tls::Engine::Status::ok);
  } else {
    outbox_.append(bytes);
  }
  push();
}

void FarEnd::send_frame(Make frame) {
  frame.masked = frame.masked != is_client_;
  send(make(frame));
}

void FarEnd::close_frame(unsigned code, std::string_view reason) {
  send_frame({.opcode = 8, .payload = code == 0 ? "" : close_payload(code, reason)});
}

bool FarEnd::push() {
  if (fd_ < 0 || outbox_.empty()) return false;
  ssize_t n = ::send(fd_, outbox_.data(), outbox_.size(), MSG_NOSIGNAL);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (n < 0) outbox_.clear();  // nobody takes it any more
  if (n > 0) outbox_.erase(0, static_cast<std::size_t>(n));
  return true;
}

bool FarEnd::pull() {
  if (fd_ < 0 || stopped_ || end_ != End::open) return false;
  char buffer[64 * 1024];
  ssize_t n = recv(fd_, buffer, sizeof buffer, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (n <= 0) {
    end_ = n == 0 ? End::eof : End::reset;
    return true;
  }
  std::string_view came(buffer, static_cast<std::size_t>(n));
  if (!engine_) {
    received_ += came;
    return true;
  }
  std::span<const char> in = came;
  if (!ready_) ready_ = engine_->handshake(in, outbox_) == tls::Engine::Status::ok;
  if (!ready_) return true;
  std::vector<char> to(sizeof buffer + 16 * 1024);
  std::size_t got = 0;
  if (engine_->read(in, to, got, outbox_) == tls::Engine::Status::closed) notified_ = true;
  received_.append(to.data(), got);
  return true;
}

bool FarEnd::pump() {
  bool moved = false;
  if (engine_ && !ready_ && !std::exchange(greeted_, true)) {
    std::span<const char> none;  // the first flight
    engine_->handshake(none, outbox_);
  }
  while (push()) moved = true;
  while (pull()) moved = true;
  while (push()) moved = true;
  return moved;
}

void FarEnd::half_close() {
  shutdown(fd_, SHUT_WR);
}

void FarEnd::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void FarEnd::reset() {
  linger hard{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  close();
}

void FarEnd::close_notify() {
  engine_->close_notify(outbox_);
  push();
}

std::vector<Seen> FarEnd::frames() const {
  Parsed parsed = parse_frames(received_, !is_client_);
  REQUIRE(parsed.wrong == "");
  return parsed.frames;
}

int FarEnd::close_code() const {
  for (const Seen& seen : frames()) {
    if (seen.opcode != 8) continue;
    if (seen.payload.size() < 2) return 0;
    return static_cast<unsigned char>(seen.payload[0]) * 256 +
           static_cast<unsigned char>(seen.payload[1]);
  }
  return -1;
}

std::string FarEnd::close_reason() const {
  for (const Seen& seen : frames()) {
    if (seen.opcode == 8 && seen.payload.size() > 2) return seen.payload.substr(2);
  }
  return "";
}

// --- the session
// -----------------------------------------------------------------------------------

Flow::Flow(const conf::Route& settings, const FlowOptions& options)
    : route(settings),
      access(options.log ? make_logger(log) : nullptr),
      home{loop, links, access, {}, {}, false, {}, 0},
      runtime(edge::make_route(route, nullptr)) {
  loop.on_turn_end([this] {
    links.bury();
    access.flush();
  });
  SocketPair to_c = make_pair(options.tcp, options.buffer);
  SocketPair to_b = make_pair(options.tcp, options.buffer);
  client = std::make_unique<FarEnd>(to_c.far, true);
  backend = std::make_unique<FarEnd>(to_b.far, false);
  parts_.backend = std::make_unique<net::Stream>(loop, to_b.near);
  if (options.client_tls) {
    auto stream =
        std::make_unique<net::TlsStream>(loop, to_c.near, tls::Engine::server(*server_context()));
    client->secure(tls::Engine::insecure_client("localhost"));
    shake(*stream);
    parts_.client = std::move(stream);
  } else {
    parts_.client = std::make_unique<net::Stream>(loop, to_c.near);
  }
  parts_.route = &runtime;
  parts_.identity.conn_id = 1;
  to_client = parts_.client.get();
  to_backend = parts_.backend.get();
}

Flow::~Flow() = default;

void Flow::shake(net::TlsStream& stream) {
  struct Reader final : net::Stream::Handler {
    explicit Reader(net::Loop& of) : loop(of) {}

    void on_readable(net::Stream& from) override { from.read(loop.relay_buffer()); }

    void on_drained(net::Stream&) override {}

    net::Loop& loop;
  } reader(loop);

  stream.set_handler(reader);
  stream.want_read(true);
  for (int i = 0; i < 10 && !(stream.ready() && client->secured()); ++i) {
    client->pump();
    turn();
  }
  REQUIRE(stream.ready());
  REQUIRE(client->secured());
  stream.want_read(false);
}

Flow& Flow::start(std::string_view from_client, std::string_view from_backend) {
  auto made = std::make_unique<edge::Tunnel>(home, std::move(parts_));
  tunnel = made.get();
  links.adopt(std::move(made));
  tunnel->start(from_client, from_backend);
  return *this;
}

Flow& Flow::pump() {
  for (int quiet = 0; quiet < 3;) {
    turn();
    bool moved = client->pump();
    moved = backend->pump() || moved;
    quiet = moved ? 0 : quiet + 1;
  }
  return *this;
}

Flow& Flow::pass(std::chrono::milliseconds by) {
  loop.advance_clock(by + 2 * net::TimerWheel::kTick);
  return pump();
}

Flow& Flow::walk(std::chrono::milliseconds by, std::chrono::milliseconds step) {
  for (; by >= step; by -= step) pass(step);
  return *this;
}

std::vector<std::string> Flow::lines() const {
  std::istringstream in(log.str());
  std::vector<std::string> all;
  for (std::string line; std::getline(in, line);) all.push_back(line);
  return all;
}

std::size_t Flow::close_lines() const {
  std::size_t count = 0;
  for (const std::string& line : lines())
    count += line.find(R"("event":"close")") != std::string::npos ? 1 : 0;
  return count;
}

std::string Flow::close_line() const {
  REQUIRE(close_lines() == 1);
  return lines().back();
}

bool Flow::logged(std::string_view name, std::string_view value) const {
  std::string pair = "\"" + std::string(name) + "\":" + std::string(value);
  std::string line = close_line();
  std::size_t at = line.find(pair);
  return at != std::string::npos &&
         (line[at + pair.size()] == ',' || line[at + pair.size()] == '}');
}

}  // namespace fairlead::test
