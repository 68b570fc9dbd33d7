#pragma once
// Stands in for a connection that is not there yet: what is written is kept until it is taken. It
// is blocked() while it keeps something, so that the source is paused: what it keeps is bounded by
// what one read brings. Never readable, never open.

#include <string>

#include "proxy/net/stream.h"

namespace fairlead::net {

class HeldStream final : public Stream {
 public:
  explicit HeldStream(Loop& loop) : Stream(loop, -1) {}

  bool write(std::span<const char> data) override {
    if (!data.empty()) hold_back(data);
    return true;
  }

  using Stream::write;

  // What was written; nothing is kept any more.
  std::string take() { return take_held(); }
};

}  // namespace fairlead::net
