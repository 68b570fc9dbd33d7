#pragma once
// Fairlead's own answers: short text, JSON where the client accepts it, with the reason in one word
// and the request's id.

#include <string>
#include <string_view>

#include "conf/config.h"
#include "proxy/rules/failure.h"
#include "proxy/wire/head.h"

namespace fairlead::edge {

struct OwnAnswer {
  rules::Cause cause = rules::Cause::internal_error;
  std::string_view request_id;
  const wire::RequestHead* request = nullptr;  // null: none could be read
  bool keep_alive = false;
  conf::Millis retry_after{0};
  std::string_view location;  // of a redirect
};

// Appends the answer; returns the size of its body as sent.
std::size_t write_answer(const OwnAnswer& answer, std::string& out);

}  // namespace fairlead::edge
