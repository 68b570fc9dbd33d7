#include "proxy/wire/handshake.h"

#include <string>

#include "proxy/wire/head_parser.h"
#include "tests/support/catch.h"

namespace fairlead::wire {
namespace {

const std::string kKey = "dGhlIHNhbXBsZSBub25jZQ==";         // RFC 6455 1.3
const std::string kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";  // ... and its answer

// A head and the text it points into.
struct Request {
  explicit Request(std::string head) : text(std::move(head)) {
    REQUIRE(parse_request(text, value) == HeadError::none);
  }

  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  std::string text;
  RequestHead value;
};

struct Answer {
  explicit Answer(std::string head) : text(std::move(head)) {
    REQUIRE(parse_response(text, value) == HeadError::none);
  }

  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;

  std::string text;
  ResponseHead value;
};

bool is_handshake(const std::string& head) {
  return is_websocket_handshake(Request(head).value);
}

TEST_CASE("handshake: which requests are one", "[wire][handshake]") {
  struct Row {
    const char* why;
    bool want;
    std::string head;
  };

  const std::string host = " HTTP/1.1\r\nHost: a\r\n";
  const std::string both = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
  const auto row = GENERATE_COPY(values<Row>({
      {"a plain one", true, "GET /" + host + both + "\r\n"},
      {"any case", true, "GET /" + host + "UPGRADE: WebSocket\r\nconnection: upgrade\r\n\r\n"},
      {"Firefox", true,
       "GET /" + host + "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\r\n"},
      {"lists", true,
       "GET /" + host + "Upgrade: h2c, websocket\r\nConnection: a\r\nConnection: upgrade\r\n\r\n"},
      {"an empty body", true, "GET /" + host + both + "Content-Length: 0\r\n\r\n"},
      {"another method", false, "POST /" + host + both + "\r\n"},
      {"HTTP/1.0", false, "GET / HTTP/1.0\r\nHost: a\r\n" + both + "\r\n"},
      {"no Upgrade", false, "GET /" + host + "Connection: Upgrade\r\n\r\n"},
      {"no Connection", false, "GET /" + host + "Upgrade: websocket\r\n\r\n"},
      {"another protocol", false, "GET /" + host + "Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n"},
      {"nearly", false, "GET /" + host + "Upgrade: websockets\r\nConnection: Upgrade\r\n\r\n"},
      {"a version", false, "GET /" + host + "Upgrade: websocket/13\r\nConnection: Upgrade\r\n\r\n"},
      {"Connection: close", false,
       "GET /" + host + "Upgrade: websocket\r\nConnection: close\r\n\r\n"},
      {"a body", false, "GET /" + host + both + "Content-Length: 1\r\n\r\n"},
      {"a chunked body", false, "GET /" + host + both + "Transfer-Encoding: chunked\r\n\r\n"},
  }));
  CAPTURE(row.why);
  CHECK(is_handshake(row.head) == row.want);
}

TEST_CASE("handshake: version, then key", "[wire][handshake]") {
  struct Row {
    const char* why;
    std::string fields;
    HandshakeError want;
  };

  const std::string version = "Sec-WebSocket-Version: 13\r\n";
  const std::string key = "Sec-WebSocket-Key: ";
  const auto row = GENERATE_COPY(values<Row>({
      {"good", version + key + kKey + "\r\n", HandshakeError::none},
      {"any case", "sec-websocket-version:13\r\nSEC-WEBSOCKET-KEY:" + kKey + "\r\n",
       HandshakeError::none},
      {"every character", version + key + "abcXYZ0189+/abcXYZ018A==\r\n", HandshakeError::none},
      {"spare bits set", version + key + "AQIDBAUGBwgJCgsMDQ4PEC==\r\n", HandshakeError::none},
      {"no version", key + kKey + "\r\n", HandshakeError::bad_version},
      {"version 8", "Sec-WebSocket-Version: 8\r\n" + key + kKey + "\r\n",
       HandshakeError::bad_version},
      {"versions", "Sec-WebSocket-Version: 13, 8\r\n" + key + kKey + "\r\n",
       HandshakeError::bad_version},
      {"version 013", "Sec-WebSocket-Version: 013\r\n" + key + kKey + "\r\n",
       HandshakeError::bad_version},
      {"version twice", version + version + key + kKey + "\r\n", HandshakeError::bad_version},
      {"neither", "", HandshakeError::bad_version},
      {"no key", version, HandshakeError::bad_key},
      {"an empty key", version + key + "\r\n", HandshakeError::bad_key},
      {"two keys", version + key + kKey + "\r\n" + key + kKey + "\r\n", HandshakeError::bad_key},
      {"15 bytes", version + key + "AAAAAAAAAAAAAAAAAAAA\r\n", HandshakeError::bad_key},
      {"17 bytes", version + key + "AAAAAAAAAAAAAAAAAAAAAAA=\r\n", HandshakeError::bad_key},
      {"18 bytes", version + key + "AAAAAAAAAAAAAAAAAAAAAAAA\r\n", HandshakeError::bad_key},
      {"a character short", version + key + "AAAAAAAAAAAAAAAAAAAAA==\r\n", HandshakeError::bad_key},
      {"a character long", version + key + "AAAAAAAAAAAAAAAAAAAAAAA==\r\n",
       HandshakeError::bad_key},
      {"no padding", version + key + "AAAAAAAAAAAAAAAAAAAAAA\r\n", HandshakeError::bad_key},
      {"padding inside", version + key + "AAAAAAAAAAAAAAAAAAAAA===\r\n", HandshakeError::bad_key},
      {"URL-safe base64", version + key + "AAAAAAAAAA-_AAAAAAAAAA==\r\n", HandshakeError::bad_key},
      {"a space inside", version + key + "AAAAAAAAAA AAAAAAAAAAA==\r\n", HandshakeError::bad_key},
      {"obs-text",
       version + key +
           "AAAAAAAAAA\x80"
           "AAAAAAAAAAA==\r\n",
       HandshakeError::bad_key},
  }));
  CAPTURE(row.why);
  const Request request("GET / HTTP/1.1\r\nHost: a\r\n" + row.fields + "\r\n");
  CHECK(check_handshake(request.value) == row.want);
}

TEST_CASE("handshake: the accept key of the RFC", "[wire][handshake]") {
  CHECK(accept_key(kKey) == kAccept);
  CHECK(accept_key("x3JJHMbDL1EzLkh9GBhXDw==") == "HSmrc0sMlYUkAGmm5OPpG2HaGWk=");
  CHECK(accept_key("").size() == 28);
}

std::string request_head(const std::string& more) {
  return "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
         kKey + "\r\n" + more + "\r\n";
}

std::string answer_head(const std::string& more) {
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: " +
         kAccept + "\r\n" + more + "\r\n";
}

TEST_CASE("answer to a handshake: what it agreed to", "[wire][handshake]") {
  struct Row {
    const char* why;
    std::string request, answer, subprotocol, extensions;
    bool deflate, unknown;
  };

  const std::string offer =
      "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-mux\r\n";
  const auto row = GENERATE_COPY(values<Row>({
      {"nothing", "", "", "", "", false, false},
      {"nothing of what was offered", "Sec-WebSocket-Protocol: chat\r\n" + offer, "", "", "", false,
       false},
      {"one of a list", "Sec-WebSocket-Protocol: chat, v2\r\n", "Sec-WebSocket-Protocol: v2\r\n",
       "v2", "", false, false},
      {"one of two fields", "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: v2\r\n",
       "sec-websocket-protocol: v2\r\n", "v2", "", false, false},
      {"deflate", offer, "Sec-WebSocket-Extensions: permessage-deflate\r\n", "",
       "permessage-deflate", true, false},
      {"deflate with parameters", offer,
       "Sec-WebSocket-Extensions: permessage-deflate ;server_max_window_bits=\"10\"\r\n", "",
       "permessage-deflate ;server_max_window_bits=\"10\"", true, false},
      {"another", offer, "Sec-WebSocket-Extensions: x-mux\r\n", "", "x-mux", false, true},
      {"both", offer, "Sec-WebSocket-Extensions: x-mux, permessage-deflate\r\n", "",
       "x-mux, permessage-deflate", true, true},
      {"an empty list", offer, "Sec-WebSocket-Extensions:\r\n", "", "", false, false},
  }));
  CAPTURE(row.why);
  const Request request(request_head(row.request));
  const Answer answer(answer_head(row.answer));
  const Agreed agreed = check_answer(request.value, answer.value);
  CAPTURE(agreed.why);
  REQUIRE(agreed.ok);
  CHECK(agreed.subprotocol == row.subprotocol);
  CHECK(agreed.extensions == row.extensions);
  CHECK(agreed.deflate == row.deflate);
  CHECK(agreed.unknown_extension == row.unknown);
}

TEST_CASE("answer to a handshake: what a client may be the cause of is not the server's fault",
          "[wire][handshake]") {
  struct Row {
    const char* why;
    std::string answer;
    bool servers_fault;
  };

  const std::string start = "HTTP/1.1 101 Switching Protocols\r\n";
  const std::string upgrade = "Upgrade: websocket\r\n";
  const std::string connection = "Connection: Upgrade\r\n";
  const std::string accept = "Sec-WebSocket-Accept: " + kAccept + "\r\n";
  const std::string good = start + upgrade + connection + accept;
  const auto row = GENERATE_COPY(values<Row>({
      {"no Upgrade", start + connection + accept, true},
      {"another Upgrade", start + "Upgrade: h2c\r\n" + connection + accept, true},
      {"no Connection", start + upgrade + accept, true},
      {"no Accept", start + upgrade + connection, true},
      {"a wrong Accept",
       start + upgrade + connection + "Sec-WebSocket-Accept: HSmrc0sMlYUkAGmm5OPpG2HaGWk=\r\n",
       true},
      {"Accept twice", good + accept, true},
      {"a subprotocol in other case", good + "Sec-WebSocket-Protocol: Chat\r\n", false},
      {"a subprotocol nobody offered", good + "Sec-WebSocket-Protocol: v9\r\n", false},
      {"all subprotocols", good + "Sec-WebSocket-Protocol: chat, v2\r\n", false},
      {"an extension nobody offered", good + "Sec-WebSocket-Extensions: x-mux\r\n", false},
      {"an extension twice",
       good + "Sec-WebSocket-Extensions: permessage-deflate, permessage-deflate\r\n", false},
      {"two framings", good + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", false},
  }));
  CAPTURE(row.why);
  const Request request(request_head(
      "Sec-WebSocket-Protocol: chat, v2\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"));
  const Answer answer(row.answer + "\r\n");
  const Agreed agreed = check_answer(request.value, answer.value);
  CHECK_FALSE(agreed.ok);
  CHECK(agreed.servers_fault == row.servers_fault);
}

// "...ZR==" and "...ZQ==" are the same 16 bytes. A server that keeps the bytes answers the second.
TEST_CASE("answer to a handshake: a key with spare bits excuses a wrong Accept",
          "[wire][handshake]") {
  std::string head = request_head("");
  const std::size_t last = head.find("ZQ==");
  REQUIRE(last != std::string::npos);
  head.replace(last, 2, "ZR");
  const Request request(head);
  const Answer answer(answer_head(""));
  const Agreed agreed = check_answer(request.value, answer.value);
  CHECK_FALSE(agreed.ok);
  CHECK_FALSE(agreed.servers_fault);
}

TEST_CASE("answer to a handshake: what is no WebSocket", "[wire][handshake]") {
  struct Row {
    const char* why;
    std::string request, answer;
  };

  const std::string protocol = "Sec-WebSocket-Protocol: chat, v2\r\n";
  const std::string offer =
      "Sec-WebSocket-Extensions: permessage-deflate, x-mux; a=\"y-mux, b\"\r\n";
  const auto row = GENERATE_COPY(values<Row>({
      {"a subprotocol nobody offered", "", "Sec-WebSocket-Protocol: chat\r\n"},
      {"another subprotocol", protocol, "Sec-WebSocket-Protocol: v3\r\n"},
      {"a subprotocol in other case", protocol, "Sec-WebSocket-Protocol: Chat\r\n"},
      {"two subprotocols", protocol, "Sec-WebSocket-Protocol: chat, v2\r\n"},
      {"two subprotocol fields", protocol,
       "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: chat\r\n"},
      {"an empty subprotocol", protocol, "Sec-WebSocket-Protocol:\r\n"},
      {"an extension nobody offered", "", "Sec-WebSocket-Extensions: permessage-deflate\r\n"},
      {"another extension", offer, "Sec-WebSocket-Extensions: y-mux\r\n"},
      {"an extension in other case", offer, "Sec-WebSocket-Extensions: X-Mux\r\n"},
      {"one too many", offer, "Sec-WebSocket-Extensions: permessage-deflate, z\r\n"},
      {"deflate twice", offer,
       "Sec-WebSocket-Extensions: permessage-deflate, permessage-deflate; x\r\n"},
      {"an extension without a name", offer, "Sec-WebSocket-Extensions: ; a\r\n"},
      {"two extension fields", offer,
       "Sec-WebSocket-Extensions: x-mux\r\nSec-WebSocket-Extensions: x-mux\r\n"},
      {"nine extensions", offer,
       "Sec-WebSocket-Extensions: x-mux,x-mux,x-mux,x-mux,x-mux,x-mux,x-mux,x-mux,x-mux\r\n"},
      {"a second Accept", "", "Sec-WebSocket-Accept: " + kAccept + "\r\n"},
      {"a second Upgrade", "", "Upgrade: websocket\r\n"},
      {"two framings", "", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"},
  }));
  CAPTURE(row.why);
  const Request request(request_head(row.request));
  const Answer answer(answer_head(row.answer));
  const Agreed agreed = check_answer(request.value, answer.value);
  CHECK_FALSE(agreed.ok);
  CHECK(std::string(agreed.why) != "");
  CHECK(agreed.subprotocol.empty());
  CHECK(agreed.extensions.empty());
}

TEST_CASE("answer to a handshake: Upgrade, Connection and Accept", "[wire][handshake]") {
  struct Row {
    const char* why;
    bool ok;
    std::string head;
  };

  const std::string line = "HTTP/1.1 101 x\r\n";
  const std::string upgrade = "Upgrade: websocket\r\n";
  const std::string connection = "Connection: Upgrade\r\n";
  const std::string accept = "Sec-WebSocket-Accept: " + kAccept + "\r\n";
  std::string wrong = accept;
  wrong[wrong.size() - 4] = 'p';
  const auto row = GENERATE_COPY(values<Row>({
      {"good", true, line + upgrade + connection + accept},
      {"any case", true, line + "upgrade: WebSocket\r\nCONNECTION: x, UPGRADE\r\n" + accept},
      {"HTTP/1.0", true, "HTTP/1.0 101 x\r\n" + upgrade + connection + accept},
      {"a length, though it has no body", true,
       line + upgrade + connection + accept + "Content-Length: 5\r\n"},
      {"a coding, though it has no body", true,
       line + upgrade + connection + accept + "Transfer-Encoding: chunked\r\n"},
      {"lines that end in LF", true,
       "HTTP/1.1 101 x\nUpgrade: websocket\nConnection : Upgrade\n" + accept},
      {"no Upgrade", false, line + connection + accept},
      {"Upgrade to another", false, line + "Upgrade: h2c\r\n" + connection + accept},
      {"Upgrade to two", false, line + "Upgrade: websocket, h2c\r\n" + connection + accept},
      {"no Connection", false, line + upgrade + accept},
      {"Connection: keep-alive", false, line + upgrade + "Connection: keep-alive\r\n" + accept},
      {"no Accept", false, line + upgrade + connection},
      {"an empty Accept", false, line + upgrade + connection + "Sec-WebSocket-Accept:\r\n"},
      {"a wrong Accept", false, line + upgrade + connection + wrong},
      {"the key for the Accept", false,
       line + upgrade + connection + "Sec-WebSocket-Accept: " + kKey + "\r\n"},
  }));
  CAPTURE(row.why);
  const Request request(request_head(""));
  const Answer answer(row.head + "\r\n");
  CHECK(check_answer(request.value, answer.value).ok == row.ok);
}

}  // namespace
}  // namespace fairlead::wire
