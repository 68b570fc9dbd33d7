#pragma once
// The names of servers: asked for in the main thread as long as the configuration has them, again
// when their answers have lived. What was once known of a name stays until an answer says
// otherwise: a name server that fails, or forgets, takes no server away.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proxy/balance/endpoints.h"
#include "proxy/net/loop.h"
#include "proxy/net/resolver.h"

namespace fairlead::edge {

class Names final : net::Timer::Handler {
 public:
  // How long a start or a reload waits for the answers to names it has not asked for before.
  static constexpr conf::Millis kPatience{5'000};

  // `news`: a name has come to stand for something else, or settled() to be true. Called from the
  // loop, once for what comes together.
  Names(net::Loop& loop, std::function<void()> news);
  ~Names();

  // From now on these names, asked for that way. Those that are new are asked for at once, those
  // not among them any more are forgotten.
  void follow(const conf::Dns& settings, const std::vector<conf::Address>& names);

  // Every name has been answered, one way or another, or the patience is over.
  bool settled() const;

  // Each stands for something.
  bool complete() const;

  // Null: nothing is known of it (yet).
  const balance::Endpoints* find(const conf::Address& name) const;

  balance::Lookup lookup() const {
    return [this](const conf::Address& name) { return find(name); };
  }

 private:
  struct Entry;
  void on_timer(net::Timer& timer) override;
  void tell_soon();

  net::Loop& loop_;
  std::function<void()> news_;
  std::unique_ptr<net::Resolver> resolver_;                // null: there is no name
  std::map<std::string, std::unique_ptr<Entry>> entries_;  // by Address::host, services with "srv:"
  net::Timer news_timer_;
  net::Timer patience_;
};

}  // namespace fairlead::edge
