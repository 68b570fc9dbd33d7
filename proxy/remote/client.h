#pragma once
// A blocking HTTP client for a running Fairlead's admin endpoint: one request a connection, a
// deadline for the whole, a bounded answer.

#include <chrono>
#include <cstddef>
#include <string>

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

}  // namespace fairlead::remote
