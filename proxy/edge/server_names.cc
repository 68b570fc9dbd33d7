// The server's part in resolving names: what waits for their first answers, and what becomes of a
// changed one: another snapshot of the same configuration, which the workers take like a reload.

#include <algorithm>

#include "proxy/edge/server.h"
#include "proxy/observe/log.h"

namespace fairlead::edge {
namespace {

// Says which servers of `pool` are not in `other`.
void log_missing(const balance::Pool& pool, const balance::Pool& other, const char* word) {
  for (const auto& server : pool.servers()) {
    if (other.index_of(server->id) == balance::kNoServer)
      observe::log_info("backend \"{}\": {} {} (dns)", pool.name(), server->name, word);
  }
}

}  // namespace

// Before anything is served. A name nobody answers for is not worth a failed start: its backend has
// no servers until it is resolved. False: a signal came that ends the process.
bool Server::resolve_names() {
  follow_names(*runtime_, nullptr);
  while (!names_.settled() && !ended_early_) loop_.turn(true);
  if (ended_early_) {
    observe::log_info("stopped");
    return false;
  }
  if (auto next = Runtime::renewed(*runtime_, names_.lookup())) runtime_ = std::move(next);
  bequeath();
  return true;
}

// `and_of`: what is being served until `runtime` takes its place; or null.
void Server::follow_names(const Runtime& runtime, const Runtime* and_of) {
  auto names = balance::names_in(runtime.config().backends);
  if (and_of != nullptr) {
    const auto more = balance::names_in(and_of->config().backends);
    names.insert(names.end(), more.begin(), more.end());
  }
  names_.follow(runtime.config().dns, names);
}

void Server::on_names() {
  if (!drainer_ || draining_) return;
  if (pending_ && names_.settled()) return commit_pending();
  take_names();
}

// Not while a reload is on its way: that one, or the end of it, brings what is new.
void Server::take_names() {
  if (draining_) return;
  if (taking_workers_ != 0 || pending_) {
    names_changed_ = true;
    return;
  }
  auto next = Runtime::renewed(*runtime_, names_.lookup());
  if (!next) return;
  for (std::size_t i = 0; i < next->pools().size(); ++i) {
    log_missing(*next->pools()[i], *runtime_->pools()[i], "added");
    log_missing(*runtime_->pools()[i], *next->pools()[i], "gone");
  }
  commit(std::move(next), sockets_);
  reload_text_.clear();
  if (heirloom_) {
    bequeath();
    go_on_draining();
  }
}

void Server::commit_pending() {
  Pending ready = std::move(*pending_);
  pending_.reset();
  heirloom_.reset();
  if (auto next = Runtime::renewed(*ready.runtime, names_.lookup())) ready.runtime = next;
  commit(std::move(ready.runtime), std::move(ready.sockets));
  follow_names(*runtime_, nullptr);
}

}  // namespace fairlead::edge
