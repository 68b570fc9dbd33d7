#pragma once
// Heads written as lines, parsed as the proxy parses them.

#include <string>
#include <string_view>

#include "proxy/wire/head_parser.h"
#include "tests/support/catch.h"

namespace fairlead::rules {

// "GET / HTTP/1.1\nHost: a" -> with CRLF, and the empty line at the end.
inline std::string wire_text(std::string_view lines) {
  std::string text;
  for (const char c : lines) {
    if (c == '\n') text += '\r';
    text += c;
  }
  return text + "\r\n\r\n";
}

// The views in `head` point into `text`: neither copied nor moved.
struct Request {
  explicit Request(std::string_view lines) : text(wire_text(lines)) {
    INFO(text);
    REQUIRE(wire::parse_request(text, head) == wire::HeadError::none);
  }

  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  const std::string text;
  wire::RequestHead head;
};

struct Response {
  explicit Response(std::string_view lines) : text(wire_text(lines)) {
    INFO(text);
    REQUIRE(wire::parse_response(text, head) == wire::HeadError::none);
  }

  Response(const Response&) = delete;
  Response& operator=(const Response&) = delete;

  const std::string text;
  wire::ResponseHead head;
};

}  // namespace fairlead::rules
