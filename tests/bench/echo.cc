// The WebSocket backend on one epoll loop, as cheap as it can be: the same behind every proxy.

#include <sys/socket.h>

#include <charconv>
#include <map>
#include <memory>
#include <unordered_map>
#include <unordered_set>

#include "proxy/wire/frame.h"
#include "proxy/wire/handshake.h"
#include "proxy/wire/head_parser.h"
#include "tests/bench/channel.h"
#include "tests/bench/frames.h"
#include "tests/bench/modes.h"

namespace fairlead::bench {
namespace {

// A session that is pushed to sends at most so much in a turn, so that its neighbours get theirs.
constexpr std::size_t kPushTurn = 512 * 1024;

// handshake: nothing but plain requests so far.
enum class Work : std::uint8_t { handshake, echo, push, fan, publish };

struct Visitor {
  Channel channel;
  std::string in;  // the beginning of a frame or a head
  Work work = Work::handshake;
  bool closing = false;                // a Close was sent: ends when it is taken
  const std::string* frame = nullptr;  // push: what is sent over and over
  std::size_t at = 0;                  // push: how much of it is sent
  std::uint32_t interest = EPOLLIN;
};

std::size_t size_in(std::string_view target) {
  std::size_t size = 65536;
  std::size_t at = target.find("size=");
  if (at != std::string_view::npos)
    std::from_chars(target.data() + at + 5, target.data() + target.size(), size);
  return size;
}

class Backend {
 public:
  explicit Backend(std::uint16_t port) : listening_(listen_at(port)) {
    poll_.add(listening_, EPOLLIN, tag(std::uint64_t{0}));
  }

  [[noreturn]] void run() {
    while (true) {
      for (epoll_event& event : poll_.wait()) {
        if (event.data.u64 == 0) {
          accept_all();
        } else {
          turn(static_cast<int>(event.data.u64), event.events);
        }
      }
    }
  }

 private:
  void accept_all() {
    for (int i = 0; i < 64; ++i) {
      int fd = accept_from(listening_);
      if (fd < 0) return;
      visitors_[fd].channel = Channel(fd);
      poll_.add(fd, EPOLLIN, tag(static_cast<std::uint64_t>(fd)));
    }
  }

  void turn(int fd, std::uint32_t events) {
    auto found = visitors_.find(fd);
    if (found == visitors_.end()) return;
    Visitor& visitor = found->second;
    bool ok = (events & EPOLLOUT) == 0 || visitor.channel.flush();
    if (ok && (events & ~std::uint32_t{EPOLLOUT}) != 0) ok = receive(visitor);
    if (ok && visitor.work == Work::push && !visitor.closing) ok = push(visitor);
    if (!ok || (visitor.closing && !visitor.channel.pending())) return leave(fd);
    watch(visitor);
  }

  void watch(Visitor& visitor) {
    bool more = visitor.channel.pending() || (visitor.work == Work::push && !visitor.closing);
    std::uint32_t interest = more ? EPOLLIN | EPOLLOUT : EPOLLIN;
    if (interest == visitor.interest) return;
    visitor.interest = interest;
    int fd = visitor.channel.fd();
    poll_.change(fd, interest, tag(static_cast<std::uint64_t>(fd)));
  }

  void leave(int fd) {
    fans_.erase(fd);
    visitors_.erase(fd);
  }

  bool receive(Visitor& visitor) {
    Channel::Read read = visitor.channel.read();
    visitor.in.append(read.bytes.data(), read.bytes.size());
    if (read.ended) return false;
    if (visitor.work == Work::handshake && !answer_handshake(visitor)) return false;
    return visitor.work == Work::handshake || take_frames(visitor);
  }

  // A handshake, or plain requests one after another.
  bool answer_handshake(Visitor& visitor) {
    std::size_t end = visitor.in.find("\r\n\r\n");
    if (end == std::string::npos) return true;
    std::string head = visitor.in.substr(0, end + 4);
    wire::RequestHead request;
    if (wire::parse_request(head, request) != wire::HeadError::none) return false;
    std::size_t path = head.find(" /");
    std::string_view target =
        std::string_view(head).substr(path + 1, head.find(' ', path + 1) - path - 1);
    visitor.in.erase(0, end + 4);
    if (request.fields.find("Upgrade") == nullptr) {
      return visitor.channel.write(page(size_in(target))) && answer_handshake(visitor);
    }
    begin(visitor, target);
    return visitor.channel.write(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
        "Upgrade\r\nSec-WebSocket-Accept: " +
        wire::accept_key(request.fields.get("Sec-WebSocket-Key")) + "\r\n\r\n");
  }

  const std::string& page(std::size_t size) {
    std::string& page = pages_[size];
    if (page.empty()) {
      page =
          "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(size) +
          "\r\n\r\n" + std::string(size, 'x');
    }
    return page;
  }

  void begin(Visitor& visitor, std::string_view target) {
    visitor.work = Work::echo;
    if (target.starts_with("/push")) {
      visitor.work = Work::push;
      std::size_t size = size_in(target);
      std::string& frame = frames_[size];
      if (frame.empty()) frame = make_message(size, Side::backend);
      visitor.frame = &frame;
    } else if (target.starts_with("/fan")) {
      visitor.work = Work::fan;
      fans_.insert(visitor.channel.fd());
    } else if (target.starts_with("/publish")) {
      visitor.work = Work::publish;
    }
  }

  // Answers each whole frame; the rest waits for more.
  bool take_frames(Visitor& visitor) {
    std::string out;
    std::size_t at = 0;
    while (!visitor.closing) {
      wire::FrameHeader header;
      std::span<char> rest(visitor.in.data() + at, visitor.in.size() - at);
      std::size_t size = wire::decode_header(rest, header);
      if (size == 0 || rest.size() - size < header.length) break;
      std::span<char> payload = rest.subspan(size, static_cast<std::size_t>(header.length));
      answer_frame(visitor, header, payload, out);
      at += size + payload.size();
    }
    visitor.in.erase(0, at);
    if (visitor.in.empty()) visitor.in.shrink_to_fit();
    return out.empty() || visitor.channel.write(out);
  }

  void answer_frame(Visitor& visitor, wire::FrameHeader header, std::span<char> payload,
                    std::string& out) {
    if (header.opcode == 10) return;
    // In the middle of a pushed frame nothing can be answered.
    if (visitor.work == Work::push && visitor.at != 0 && header.opcode == 9) return;
    if (header.masked) wire::apply_mask(payload, header.mask);
    header.masked = false;
    if (header.opcode == 9) header.opcode = 10;
    if (header.opcode == 8) visitor.closing = true;
    std::string& to = visitor.work == Work::publish && header.opcode < 8 ? published_ : out;
    char head[wire::kMaxFrameHeader];
    to.append(head, wire::encode_header(header, head));
    to.append(payload.data(), payload.size());
    if (!published_.empty()) publish();
  }

  void publish() {
    for (int fd : fans_) {
      Visitor& fan = visitors_.at(fd);
      fan.channel.write(published_);  // an end shows in its own turn
      watch(fan);
    }
    published_.clear();
  }

  bool push(Visitor& visitor) {
    if (visitor.channel.pending()) return true;
    std::size_t budget = kPushTurn;
    while (budget > 0) {
      std::size_t rest = visitor.frame->size() - visitor.at;
      ssize_t n =
          send(visitor.channel.fd(), visitor.frame->data() + visitor.at, rest, MSG_NOSIGNAL);
      if (n < 0) return errno == EAGAIN;
      visitor.at = (visitor.at + static_cast<std::size_t>(n)) % visitor.frame->size();
      budget -= std::min(budget, static_cast<std::size_t>(n));
    }
    return true;
  }

  Poll poll_;
  int listening_;
  std::unordered_map<int, Visitor> visitors_;
  std::unordered_set<int> fans_;
  std::map<std::size_t, std::string> frames_;  // what is pushed, by size
  std::map<std::size_t, std::string> pages_;   // what a GET is answered, by size
  std::string published_;
};

}  // namespace

int run_echo(std::uint16_t port) {
  Backend(port).run();
}

}  // namespace fairlead::bench
