#pragma once
// Handshake messages behind the handshake (RFC 8446 4.6), in whatever fragments they come. Nothing
// of them is kept: key updates have one byte, tickets are skipped.

#include <cstdint>
#include <span>

namespace fairlead::tls {

class PostHandshake {
 public:
  enum class Event : std::uint8_t {
    none,               // all was taken, no message ended
    ticket,             // a NewSessionTicket ended
    update,             // a KeyUpdate
    update_and_answer,  // a KeyUpdate that wants one back
    unexpected,         // a type that may not come; what follows is the alert for it
    undecodable,
    illegal,
  };

  // Takes of a record's content, advancing it, up to the end of one message.
  Event take(std::span<const char>& content);

  // In the middle of a message: no other record may come (RFC 8446 5.1).
  bool in_message() const { return have_ > 0; }

 private:
  Event judge_header();

  std::uint32_t header_ = 0;  // type and length as far as they came
  std::uint32_t left_ = 0;    // bytes of the body to come
  std::uint8_t have_ = 0;     // bytes of the header
};

}  // namespace fairlead::tls
