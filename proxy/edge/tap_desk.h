#pragma once
// Where the admin endpoint's lookers are led to sessions (`fairlead tap`). Main thread.

#include "proxy/edge/session_tap.h"
#include "proxy/edge/worker.h"
#include "proxy/observe/control.h"

namespace fairlead::edge {

class TapDesk {
 public:
  // `mailbox` is the main thread's.
  TapDesk(net::Mailbox& mailbox, const Shared& shared) : mailbox_(mailbox), shared_(shared) {}

  // `reply` is called once, maybe at once.
  void open(const conf::Admin& settings, const observe::TapRequest& request,
            observe::TapReply reply);

 private:
  net::Mailbox& mailbox_;
  const Shared& shared_;
};

}  // namespace fairlead::edge
