#pragma once
// What the API has set in a process while the one that is to take its place was starting. That one
// got what there was at its start (Heirloom); this goes to it at the hand-over, so that nothing
// that was answered with a success is lost.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/edge/heirloom.h"

namespace fairlead::edge {

struct LateChanges {
  struct Server {
    std::string backend;
    std::string name;
    std::optional<balance::AdminState> state;
    std::optional<std::uint32_t> weight;
  };

  struct Listener {
    std::string address;  // as the configuration has it
    std::size_t nth = 0;  // of those with that address, from 0
    bool drained = false;
  };

  struct Route {
    std::string name;
    bool drained = false;
  };

  std::vector<Server> servers;
  std::vector<Listener> listeners;
  std::vector<Route> routes;
  bool reload = false;  // HUP came meanwhile: the file may have changed since it was loaded

  // `before`: what the other process was given; `after`: the same as it is now.
  static LateChanges between(const Heirloom& before, const Heirloom& after);

  // How many there are.
  std::size_t size() const {
    return servers.size() + listeners.size() + routes.size() + (reload ? 1 : 0);
  }

  // JSON in one line.
  std::string text() const;
  // Nothing: it is none.
  static std::optional<LateChanges> parse(std::string_view text);

  // For servers whose names have not led to them yet.
  void apply(Heirloom& waiting) const;
};

// What the process before says last, in one line: that the other one is the one that counts now.
std::string release_text(const LateChanges& changes);
// Nothing: it cannot be read. Of a process that has ended without a word: no changes.
std::optional<LateChanges> parse_release(std::string_view text);

}  // namespace fairlead::edge
