#pragma once
// What /api/sessions/ID/tap says, as lines for people.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/observe/json_value.h"

namespace fairlead::remote {

// One event of the stream.
struct TappedFrame {
  std::int64_t at_us = 0;  // since 1970
  bool from_client = false;
  std::string type;
  std::uint8_t opcode = 0;
  bool fin = false;
  bool masked = false;
  std::uint8_t rsv = 0;
  std::uint64_t length = 0;
  std::string bytes;  // of the payload, as many as were asked for
  bool withheld = false;
};

TappedFrame tapped_frame(const observe::JsonValue& event);

// `14:03:22.123456 client  > text         fin       5  "hello"`, in UTC; "<" is what the backend
// sent. Bytes that are no printable ASCII are written as \xNN.
std::string frame_line(const TappedFrame& frame);

// Of any event. "": there is nothing to say of it.
std::string event_line(std::string_view name, std::string_view data);

}  // namespace fairlead::remote
