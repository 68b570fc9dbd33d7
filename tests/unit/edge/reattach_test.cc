#include "proxy/edge/reattach.h"

#include "tests/support/catch.h"

namespace fairlead::edge {

TEST_CASE("reattach: a session survives where no compression of the client looks back",
          "[edge][reattach]") {
  const char* fine[] = {
      "",
      "permessage-deflate; client_no_context_takeover",
      "permessage-deflate;client_no_context_takeover ; server_max_window_bits=12",
      "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
  };
  for (const char* one : fine) {
    CAPTURE(one);
    CHECK(survives_a_new_server(one));
  }
  const char* bad[] = {
      "permessage-deflate",
      "permessage-deflate; server_no_context_takeover",
      "permessage-deflate; client_no_context_takeovers",
      "permessage-deflate; client_max_window_bits=8",
      "x-of-somebody",
      "x-of-somebody; client_no_context_takeover",
      "permessage-deflate; client_no_context_takeover, x-of-somebody",
      "client_no_context_takeover",
  };
  for (const char* one : bad) {
    CAPTURE(one);
    CHECK_FALSE(survives_a_new_server(one));
  }
}

TEST_CASE("reattach: which Close of the old server answers the one it got", "[edge][reattach]") {
  for (unsigned code : {0U, 1000U, 1001U}) CHECK(answers_move(static_cast<std::uint16_t>(code)));
  for (unsigned code :
       {1002U, 1003U, 1007U, 1008U, 1009U, 1011U, 1012U, 1013U, 3000U, 4003U, 4999U}) {
    CAPTURE(code);
    CHECK_FALSE(answers_move(static_cast<std::uint16_t>(code)));
  }
}

TEST_CASE("reattach: the handshake is repeated as it was, with its number", "[edge][reattach]") {
  Handshake handshake;
  handshake.head = "GET /a?b HTTP/1.1\r\nHost: c\r\n\r\n";
  handshake.subprotocol = "v1";
  CHECK(handshake.repeated(3) == "GET /a?b HTTP/1.1\r\nHost: c\r\nFairlead-Reattached: 3\r\n\r\n");
  wire::Agreed agreed;
  CHECK_FALSE(handshake.agrees_with(agreed));
  agreed.subprotocol = "v1";
  CHECK(handshake.agrees_with(agreed));
  agreed.extensions = "permessage-deflate";
  CHECK_FALSE(handshake.agrees_with(agreed));
}

}  // namespace fairlead::edge
