#include "proxy/wire/handshake.h"

#include <openssl/evp.h>

#include <array>

#include "proxy/wire/chars.h"
#include "proxy/wire/framing.h"
#include "proxy/wire/head_parser.h"

namespace fairlead::wire {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455 1.3
constexpr std::string_view kKey = "Sec-WebSocket-Key";
constexpr std::string_view kVersion = "Sec-WebSocket-Version";
constexpr std::string_view kAccept = "Sec-WebSocket-Accept";
constexpr std::string_view kProtocol = "Sec-WebSocket-Protocol";
constexpr std::string_view kExtensions = "Sec-WebSocket-Extensions";
constexpr std::string_view kDeflate = "permessage-deflate";
constexpr std::size_t kKeySize = 24;  // base64 of 16 bytes: 22 characters and "=="
constexpr unsigned kMaxExtensions =
    8;  // an answer that agrees to more is nonsense, and costs time to check

bool is_base64_char(char c) {
  return is_class(c, chars::kDigit | chars::kAlpha) || c == '+' || c == '/';
}

// The bits the 22nd character has too many may be set: the key is never decoded, only hashed as it
// is.
bool is_key(std::string_view key) {
  return key.size() == kKeySize && key.substr(kKeySize - 2) == "==" &&
         std::all_of(key.begin(), key.end() - 2, is_base64_char);
}

// Whether the lists of all fields of that name hold the item, compared exactly, up to a ';' where
// `parameters`.
bool offers(const Fields& fields, std::string_view name, std::string_view wanted, bool parameters) {
  bool found = false;
  for (const Field& field : fields) {
    if (!iequals(field.name, name)) continue;
    for_each_item(field.value, [&](std::string_view item) {
      found = found || wanted == (parameters ? trim(item.substr(0, item.find(';'))) : item);
      return !found;
    });
  }
  return found;
}

Agreed refuse(const char* why, bool servers_fault) {
  Agreed agreed;
  agreed.why = why;
  agreed.servers_fault = servers_fault;
  return agreed;
}

// Whether decoding and encoding again gives the same key. A server that keeps the 16 bytes only
// answers another key otherwise.
bool is_canonical(std::string_view key) {
  constexpr std::string_view kLast = "AQgw";  // the 4 bits too many are 0 (RFC 4648 3.5)
  return key.size() == kKeySize && kLast.find(key[kKeySize - 3]) != kLast.npos;
}

// RFC 6455 4.1, the server's response, 2 to 4.
const char* check_upgrade(const RequestHead& request, const ResponseHead& answer) {
  const Fields& fields = answer.fields;
  if (fields.count("Upgrade") != 1 || !iequals(fields.get("Upgrade"), "websocket")) {
    return "Upgrade is not websocket";
  }
  if (!fields.has_token("Connection", "upgrade")) return "Connection does not hold upgrade";
  if (fields.count(kAccept) != 1) return "Sec-WebSocket-Accept missing or repeated";
  const std::string wanted = accept_key(request.fields.get(kKey));
  if (wanted.empty() || fields.get(kAccept) != wanted) return "Sec-WebSocket-Accept is wrong";
  return nullptr;
}

// That it can be read in one way. A 101 has no body, whatever it says (RFC 9112 6.3, item 1); its
// version is no matter, since the client gets one of ours.
const char* check_form(const RequestHead& request, const ResponseHead& answer) {
  const bool once = response_framing(answer, request.method).ok;
  return once ? nullptr : "101 with Content-Length and Transfer-Encoding";
}

// RFC 6455 4.1, 6 and 11.3.4: at most one, and one that was offered.
const char* check_protocol(const RequestHead& request, const ResponseHead& answer, Agreed& agreed) {
  const std::size_t count = answer.fields.count(kProtocol);
  if (count == 0) return nullptr;
  if (count > 1) return "Sec-WebSocket-Protocol repeated";
  agreed.subprotocol = answer.fields.get(kProtocol);
  if (!is_token(agreed.subprotocol)) return "Sec-WebSocket-Protocol is not one token";
  const bool offered = offers(request.fields, kProtocol, agreed.subprotocol, false);
  return offered ? nullptr : "Sec-WebSocket-Protocol was not offered";
}

// One extension of the answer, parameters and all.
const char* check_extension(const RequestHead& request, std::string_view item, Agreed& agreed) {
  const std::string_view name = trim(item.substr(0, item.find(';')));
  if (!is_token(name)) return "Sec-WebSocket-Extensions is malformed";
  if (!offers(request.fields, kExtensions, name, true)) return "an extension was not offered";
  if (name != kDeflate) {
    agreed.unknown_extension = true;
  } else if (agreed.deflate) {
    return "permessage-deflate twice";
  } else {
    agreed.deflate = true;
  }
  return nullptr;
}

// RFC 6455 4.1, 5 and 11.3.2: one field in an answer, and nothing in it that was not offered.
const char* check_extensions(const RequestHead& request, const ResponseHead& answer,
                             Agreed& agreed) {
  const std::size_t count = answer.fields.count(kExtensions);
  if (count == 0) return nullptr;
  if (count > 1) return "Sec-WebSocket-Extensions repeated";
  agreed.extensions = answer.fields.get(kExtensions);
  const char* why = nullptr;
  unsigned seen = 0;
  for_each_item(agreed.extensions, [&](std::string_view item) {
    why = ++seen > kMaxExtensions ? "too many extensions" : check_extension(request, item, agreed);
    return why == nullptr;
  });
  return why;
}

}  // namespace

bool is_websocket_handshake(const RequestHead& head) {
  const Framing framing = request_framing(head);
  return head.method == "GET" && head.minor_version == 1 &&
         head.fields.has_token("Upgrade", "websocket") &&
         head.fields.has_token("Connection", "upgrade") && framing.kind != Framing::Kind::chunked &&
         framing.length == 0;
}

HandshakeError check_handshake(const RequestHead& head) {
  if (head.fields.count(kVersion) != 1 || head.fields.get(kVersion) != "13") {
    return HandshakeError::bad_version;
  }
  if (head.fields.count(kKey) != 1 || !is_key(head.fields.get(kKey)))
    return HandshakeError::bad_key;
  return HandshakeError::none;
}

std::string accept_key(std::string_view key) {
  std::string text(key);
  text += kGuid;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1) {
    return "";  // SHA-1 switched off in OpenSSL's configuration: no handshake can succeed
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE * 2> encoded{};
  const int length = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(size));
  return {encoded.begin(), encoded.begin() + length};
}

Agreed check_answer(const RequestHead& request, const ResponseHead& answer) {
  Agreed agreed;
  if (const char* wrong = check_upgrade(request, answer)) {
    return refuse(wrong, is_canonical(request.fields.get(kKey)));
  }
  const char* why = check_form(request, answer);
  if (!why) why = check_protocol(request, answer, agreed);
  if (!why) why = check_extensions(request, answer, agreed);
  if (why) return refuse(why, false);
  agreed.ok = true;
  return agreed;
}

}  // namespace fairlead::wire
