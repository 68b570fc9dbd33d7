#pragma once
// What the admin endpoint asks the workers about their sessions, and the answers put together. Main
// thread.

#include <cstdint>
#include <functional>

#include "proxy/edge/inspector.h"
#include "proxy/edge/worker.h"
#include "proxy/observe/control.h"

namespace fairlead::edge {

class SessionQueries {
 public:
  using Reply = observe::Control::Reply;
  // Any thread: the call is made in the main one.
  using Post = std::function<void(std::function<void()>)>;

  SessionQueries(const Shared& shared, Post post) : shared_(shared), post_(std::move(post)) {}

  void list(const observe::SessionQuery& query, Reply reply);
  void show(std::uint64_t id, Reply reply);
  void close(std::uint64_t id, Reply reply);
  void close_all(const observe::SessionFilter& filter, Reply reply);

 private:
  struct Listing;

  Worker* worker_of(std::uint64_t id) const;  // null: no worker gives such ids
  void show_page(const std::shared_ptr<Listing>& listing);

  const Shared& shared_;
  const Post post_;
};

}  // namespace fairlead::edge
