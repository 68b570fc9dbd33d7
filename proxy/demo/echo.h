#pragma once
// Returns each message as it came.

#include "proxy/demo/app.h"

namespace fairlead::demo {

class Echo final : public App {
 public:
  const Traits& traits() const override;
  void on_message(Server&, Session& session, wire::Opcode kind, std::string_view message) override;
};

}  // namespace fairlead::demo
