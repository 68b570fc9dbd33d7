#pragma once
// One room. A text message goes to everyone in it as {"from":"guest-7","text":"..."}; who comes and
// goes is told as {"info":"guest-7 joined","here":3}.

#include <string>

#include "proxy/demo/app.h"

namespace fairlead::demo {

class Chat final : public App {
 public:
  const Traits& traits() const override;
  void on_join(Server& server, Session& session) override;
  void on_message(Server& server, Session& session, wire::Opcode kind,
                  std::string_view message) override;
  void on_leave(Server& server, std::uint64_t number) override;
};

// `text`, valid UTF-8, as a JSON string with its quotes (RFC 8259 7).
std::string json_string(std::string_view text);

}  // namespace fairlead::demo
