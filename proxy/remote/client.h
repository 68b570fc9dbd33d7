#pragma once
// A blocking HTTP client for a running Fairlead's admin endpoint: one request a connection, a
// deadline for the whole, a bounded answer.

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "conf/ip.h"

namespace fairlead::remote {

struct Question {
  std::string method = "GET";
  std::string path{};
  std::string body{};   // JSON
  std::string token{};  // "": none is shown
};

struct Reply {
  int status = 0;  // 0: there is no answer, `error` says why (one line)
  std::string body{};
  std::string error{};
};

struct ClientLimits {
  std::chrono::milliseconds deadline{15'000};
  std::size_t body = 16 * 1024 * 1024;
};

// kind ip or unix_path.
Reply ask(const conf::Address& address, const Question& question, const ClientLimits& limits = {});

// Asks for a stream of events and calls `take` with each, until it returns false or the stream
// ends: then the reply has status 200 and no body. Anything else is a plain answer, as ask() has
// it. The deadline is for each wait: a stream that is alive says something every ten seconds.
using TakeEvent = std::function<bool(std::string_view name, std::string_view data)>;
Reply listen(const conf::Address& address, const Question& question, const TakeEvent& take);

}  // namespace fairlead::remote
