#include "proxy/demo/server.h"

#include <utility>

namespace fairlead::demo {

Server::Server(net::Loop& loop, int listening, App& app, const Limits& limits)
    : loop_(loop), app_(app), limits_(limits), acceptor_(loop, listening, 0, *this) {}

void Server::on_accept(net::Fd fd, const net::PeerAddress&, std::size_t) {
  if (sessions_.size() >= limits_.connections) return;
  const std::uint64_t id = ++last_id_;
  sessions_.emplace(id, std::make_unique<Session>(*this, id, std::move(fd)));
}

std::uint64_t Server::admit() {
  if (open_ >= limits_.sessions) return 0;
  ++open_;
  return ++last_number_;
}

void Server::left(std::uint64_t number) {
  --open_;
  left_.push_back(number);
}

// To tell of one that left may make another one leave; there are only so many of them.
void Server::bury() {
  while (!left_.empty()) {
    for (const std::uint64_t number : std::exchange(left_, {})) app_.on_leave(*this, number);
  }
  for (const std::uint64_t id : std::exchange(dead_, {})) sessions_.erase(id);
}

void Server::shut_down() {
  for (const auto& [id, session] : sessions_) session->end(1001, "the demo stops");
}

void Server::broadcast(std::string_view frame) {
  for (const auto& [id, session] : sessions_) session->send(frame);
}

}  // namespace fairlead::demo
