#include "proxy/edge/link.h"

#include <cassert>

namespace fairlead::edge {

Link::~Link() = default;

void Link::die() {
  if (dead_) return;
  dead_ = true;
  links_.unlink(*this);
  next_ = links_.dead_;
  links_.dead_ = this;
}

void Link::resume_later() {
  if (!std::exchange(waiting_, true)) links_.waiting_.push_back(this);
}

void Links::adopt(std::unique_ptr<Link> link) {
  Link* added = link.release();
  if (added->dead_) return;  // died while it was set up: it waits in the graveyard already
  added->next_ = first_;
  if (first_ != nullptr) first_->previous_ = added;
  first_ = added;
  ++size_;
}

void Links::unlink(Link& link) {
  if (link.previous_ == nullptr && first_ != &link) return;  // never adopted
  for (Cursor* cursor : cursors_) {
    if (cursor->at_ == &link) cursor->at_ = link.next_;
  }
  if (link.previous_ != nullptr) link.previous_->next_ = link.next_;
  if (link.next_ != nullptr) link.next_->previous_ = link.previous_;
  if (first_ == &link) first_ = link.next_;
  link.previous_ = link.next_ = nullptr;
  --size_;
}

bool Links::bury() {
  resuming_.swap(waiting_);
  for (Link* link : resuming_) {
    link->waiting_ = false;
    if (!link->dead_) link->resume();
  }
  resuming_.clear();
  destroy_dead();
  return !waiting_.empty();
}

void Links::destroy_dead() {
  while (dead_ != nullptr) {
    Link* link = dead_;
    dead_ = link->next_;
    if (link->waiting_) std::erase(waiting_, link);
    delete link;
  }
}

Links::Cursor::Cursor(Links& links) : links_(&links), at_(links.first_) {
  links.cursors_.push_back(this);
}

Links::Cursor::~Cursor() {
  if (links_ != nullptr) std::erase(links_->cursors_, this);
}

Link* Links::Cursor::next() {
  if (at_ == nullptr) return nullptr;
  return std::exchange(at_, at_->next_);
}

Links::~Links() {
  for (Cursor* cursor : cursors_) {
    cursor->links_ = nullptr;
    cursor->at_ = nullptr;
  }
  destroy_dead();
  while (first_ != nullptr) {
    Link* link = first_;
    first_ = link->next_;
    delete link;
  }
}

}  // namespace fairlead::edge
