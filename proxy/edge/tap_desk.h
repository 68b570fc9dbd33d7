#pragma once
// Where the admin endpoint's lookers are led to sessions (`fairlead tap`). Main thread.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/edge/session_tap.h"
#include "proxy/edge/worker.h"
#include "proxy/observe/control.h"

namespace fairlead::edge {

class TapView;

class TapDesk {
 public:
  // `mailbox` is the main thread's.
  TapDesk(net::Mailbox& mailbox, const Shared& shared) : mailbox_(mailbox), shared_(shared) {}

  // `reply` is called once, maybe at once.
  void open(const conf::Admin& settings, const observe::TapRequest& request,
            observe::TapReply reply);

  // A reload: what looks under way hide from now on.
  void redact(const std::vector<std::string>& patterns);
  // Nobody may look any more. Lookers get the event "end" with this reason.
  void end_all(std::string_view reason);

 private:
  struct Look {
    std::weak_ptr<TapLink> link;
    std::weak_ptr<TapView> view;
  };

  net::Mailbox& mailbox_;
  const Shared& shared_;
  std::vector<Look> looks_;  // some may be over
};

}  // namespace fairlead::edge
