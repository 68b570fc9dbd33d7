#pragma once
// A tapped session as a capture file (pcapng: draft-ietf-opsawg-pcapng): the frames as a TCP
// connection to port 80 would have carried them in the clear, so that Wireshark takes them apart.
// Addresses, ports and sequence numbers are made up as far as the tap does not tell them, the mask
// is 0, and what was not shown of a payload is missing from its packet, as with a snap length.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/observe/json_value.h"
#include "proxy/remote/tap_lines.h"

namespace fairlead::remote {

class Capture {
 public:
  // The file's beginning and the handshake; `opening` is the tap's event "open".
  std::string begin(const observe::JsonValue& opening, std::int64_t at_us);
  // A frame's packets. One that is larger than a packet can be is cut: a hole in the sequence
  // numbers stands for the rest.
  std::string frame(const TappedFrame& frame);

 private:
  // `size`: of the whole payload, of which `payload` is the beginning.
  void packet(bool from_client, std::uint8_t flags, std::string_view payload, std::size_t size,
              std::int64_t at_us, std::string& out);

  std::array<std::uint8_t, 4> client_{};
  std::array<std::uint8_t, 4> server_{};
  std::uint32_t client_next_ = 1000;  // sequence numbers
  std::uint32_t server_next_ = 2000;
};

}  // namespace fairlead::remote
