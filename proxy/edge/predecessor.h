#pragma once
// The process whose place this one takes: it has passed on its sockets, what it knows (Heirloom),
// and a channel on which it waits for the outcome. The other end is a Handover.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/edge/late_changes.h"
#include "proxy/net/inherited.h"
#include "proxy/net/stream.h"

namespace fairlead::edge {

// "CHANNEL:STATE", two descriptors, in the environment of a process that is to take over.
constexpr const char* kHandoverVariable = "FAIRLEAD_HANDOVER";
constexpr std::size_t kHeirloomBytes = 16 * 1024 * 1024;

struct HandoverDescriptors {
  int channel = -1;
  int state = -1;
};

// The variable's value; nothing: it is none.
std::optional<HandoverDescriptors> parse_handover(std::string_view text);

class Predecessor final : net::Stream::Handler {
 public:
  // Reads the environment, takes what it reads out of it, and the descriptors. While the process
  // has one thread. Without one nothing below does anything.
  Predecessor() = default;
  static std::unique_ptr<Predecessor> from_environment();

  // Its knowledge; null: it could not be read.
  const Heirloom* heirloom() const { return heirloom_ ? &*heirloom_ : nullptr; }

  // This process ends, because of `why`: the other one goes on.
  void failed(std::string_view why);
  // This process serves. `released` is called once the other one has stopped accepting, or is gone,
  // with what was changed there meanwhile; nothing: that could not be read.
  using Released = std::function<void(std::optional<LateChanges>)>;
  void ready(net::Loop& loop, Released released);

 private:
  void on_readable(net::Stream& stream) override;

  void on_drained(net::Stream&) override {}

  net::Fd channel_;
  std::optional<Heirloom> heirloom_;
  std::unique_ptr<net::Stream> stream_;
  Released released_;
  std::string word_;  // what came of its last one
};

}  // namespace fairlead::edge
