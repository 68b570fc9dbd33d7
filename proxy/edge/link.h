#pragma once
// Ownership in a worker: every client connection and every session is a Link in the worker's Links
// from its beginning to its end. Handlers never destroy; they mark a link dead, and bury() destroys
// after the turn (invariants 1 and 2).

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "proxy/net/timer.h"

namespace fairlead::edge {

class Links;
class Tunnel;

class Link {
 public:
  explicit Link(Links& links) : links_(links) {}

  virtual ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // The process is to end: come to an end soon, at the latest at `deadline`.
  virtual void drain(net::TimePoint deadline) = 0;
  // End at once, with one log line.
  virtual void force_end() = 0;

  // The session, if it is one.
  virtual Tunnel* session() { return nullptr; }

  bool dead() const { return dead_; }

 protected:
  // Marks it for burial. No handler of this link runs any more: the caller has closed its streams
  // and timers.
  void die();
  // Asks for one call of resume() at the end of this turn, when no handler is running. Within
  // resume(): at the end of the next turn, so that one link never keeps the others waiting.
  void resume_later();

  virtual void resume() {}

  Links& links() { return links_; }

 private:
  friend class Links;
  Links& links_;
  Link* previous_ = nullptr;
  Link* next_ = nullptr;
  bool dead_ = false;
  bool waiting_ = false;  // for resume()
};

class Links {
 public:
  // Goes from link to link over several turns, whatever ends meanwhile; what begins meanwhile it
  // does not see. It may outlive the Links.
  class Cursor {
   public:
    explicit Cursor(Links& links);
    ~Cursor();
    Cursor(const Cursor&) = delete;
    Cursor& operator=(const Cursor&) = delete;

    // The next one that lives; null: that was all. The one that was given may be ended.
    Link* next();

   private:
    friend class Links;
    Links* links_;  // null: gone
    Link* at_;      // to be given next
  };

  Links() = default;
  ~Links();
  Links(const Links&) = delete;
  Links& operator=(const Links&) = delete;

  // Takes ownership; O(1).
  void adopt(std::unique_ptr<Link> link);
  // Resumes each that asked for it once, then destroys the dead. Called by the worker after each
  // turn. True: some have asked again, and the next turn must not wait for events.
  bool bury();

  std::size_t size() const { return size_; }

  // Calls f(Link&) for each that lives; f may end it.
  template <class F>
  void for_each(F f) {
    for (Link* link = first_; link != nullptr;) {
      Link* next = link->next_;
      f(*link);
      link = next;
    }
  }

 private:
  friend class Link;
  void unlink(Link& link);
  void destroy_dead();

  Link* first_ = nullptr;
  Link* dead_ = nullptr;
  std::vector<Link*> waiting_;  // for resume(), at the next bury()
  std::vector<Link*> resuming_;
  std::vector<Cursor*> cursors_;
  std::size_t size_ = 0;
};

// A counted place: one up when made, one down at its end. What max_connections and the balance
// between workers count.
class Place {
 public:
  Place() = default;

  Place(std::atomic<std::uint32_t>& worker, std::atomic<std::uint32_t>& process)
      : worker_(&worker), process_(&process) {
    worker_->fetch_add(1, std::memory_order_relaxed);
    process_->fetch_add(1, std::memory_order_relaxed);
  }

  Place(Place&& other) noexcept
      : worker_(std::exchange(other.worker_, nullptr)),
        process_(std::exchange(other.process_, nullptr)) {}

  Place& operator=(Place&& other) noexcept {
    std::swap(worker_, other.worker_);
    std::swap(process_, other.process_);
    return *this;
  }

  explicit operator bool() const { return worker_ != nullptr; }

  ~Place() {
    if (worker_ == nullptr) return;
    worker_->fetch_sub(1, std::memory_order_relaxed);
    process_->fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint32_t>* worker_ = nullptr;
  std::atomic<std::uint32_t>* process_ = nullptr;
};

}  // namespace fairlead::edge
