#include "proxy/demo/echo.h"

#include "proxy/demo/message.h"
#include "proxy/demo/session.h"

namespace fairlead::demo {

const Traits& Echo::traits() const {
  // One message in full, and what one read can bring while the client does not take it.
  static constexpr Traits kTraits{"/echo", 1 << 20, (1 << 20) + (1 << 18), {}};
  return kTraits;
}

void Echo::on_message(Server&, Session& session, wire::Opcode kind, std::string_view message) {
  session.send(make_frame(kind, message));
}

}  // namespace fairlead::demo
