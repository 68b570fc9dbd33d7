#include "proxy/edge/predecessor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <utility>

namespace fairlead::edge {
namespace {

// Everything of a file that is open, from its beginning; bounded.
std::string read_all(int fd) {
  std::string text;
  std::array<char, 16384> part{};
  while (text.size() <= kHeirloomBytes) {
    const ssize_t n = pread(fd, part.data(), part.size(), static_cast<off_t>(text.size()));
    if (n <= 0) break;
    text.append(part.data(), static_cast<std::size_t>(n));
  }
  return text.size() <= kHeirloomBytes ? text : "";
}

}  // namespace

std::optional<HandoverDescriptors> parse_handover(std::string_view text) {
  HandoverDescriptors found;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, found.channel);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != ':') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, found.state);
  if (second.ec != std::errc() || second.ptr != end) return std::nullopt;
  const bool good = found.channel >= net::kFirstInherited && found.state >= net::kFirstInherited &&
                    found.channel != found.state;
  return good ? std::optional(found) : std::nullopt;
}

std::unique_ptr<Predecessor> Predecessor::from_environment() {
  const char* value = std::getenv(kHandoverVariable);
  const auto descriptors = parse_handover(value == nullptr ? "" : value);
  unsetenv(kHandoverVariable);
  if (!descriptors || fcntl(descriptors->channel, F_GETFD) < 0) return nullptr;
  auto made = std::make_unique<Predecessor>();
  made->channel_ = net::Fd(descriptors->channel);
  fcntl(descriptors->channel, F_SETFD, FD_CLOEXEC);
  fcntl(descriptors->channel, F_SETFL, O_NONBLOCK);
  const net::Fd state(descriptors->state);
  made->heirloom_ = Heirloom::parse(read_all(state.get()));
  return made;
}

void Predecessor::failed(std::string_view why) {
  if (!channel_) return;
  const std::string text = fmt::format("failed\n{}", why);
  static_cast<void>(send(channel_.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
  channel_.reset();
}

void Predecessor::ready(net::Loop& loop, Released released) {
  released_ = std::move(released);
  stream_ = std::make_unique<net::Stream>(loop, channel_.release());
  stream_->set_handler(*this);
  stream_->want_read(true);
  stream_->write(fmt::format("ready {}\n", getpid()));
}

// A line, or its end: either way this process is the one that counts now.
void Predecessor::on_readable(net::Stream& stream) {
  std::array<char, 4096> buffer{};
  const net::ReadResult got = stream.read(buffer);
  word_.append(buffer.data(), got.n);
  const bool whole = !word_.empty() && word_.back() == '\n';
  if (!whole && got.status == net::IoStatus::ok && word_.size() < kHeirloomBytes) return;
  stream.close();
  std::exchange(released_, nullptr)(parse_release(word_));
}

}  // namespace fairlead::edge
