#include "proxy/remote/pcapng.h"

#include <algorithm>
#include <span>

#include "conf/ip.h"
#include "proxy/remote/tables.h"
#include "proxy/wire/frame.h"
#include "proxy/wire/handshake.h"

namespace fairlead::remote {
namespace {

constexpr std::uint16_t kRawIp = 101;  // LINKTYPE_RAW: a packet begins with its IP header
constexpr std::size_t kHeaders = 40;   // IPv4 and TCP, without options
constexpr std::size_t kLargest = 65'535 - kHeaders;
constexpr std::uint16_t kServerPort = 80;  // what Wireshark takes for HTTP
constexpr std::uint16_t kClientPort = 50'000;
constexpr std::uint32_t kUnknownClient = 0xC0000201;  // 192.0.2.1 (RFC 5737)
constexpr std::uint32_t kUnknownServer = 0xC0000202;
constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";

constexpr std::uint8_t kSyn = 2;
constexpr std::uint8_t kAck = 16;
constexpr std::uint8_t kPush = 8;

// pcapng's own numbers are in the writer's order, told by the byte-order magic: little-endian here.
void put_little(std::uint64_t value, std::size_t bytes, std::string& out) {
  for (std::size_t i = 0; i < bytes; ++i, value >>= 8) out += static_cast<char>(value & 0xff);
}

void put_big(std::uint64_t value, std::size_t bytes, std::string& out) {
  for (std::size_t i = bytes; i-- > 0;) out += static_cast<char>(value >> (8 * i) & 0xff);
}

void put(std::span<const std::uint8_t> bytes, std::string& out) {
  for (const std::uint8_t byte : bytes) out += static_cast<char>(byte);
}

void put_block(std::uint32_t type, std::string_view body, std::string& out) {
  const std::size_t padding = (4 - body.size() % 4) % 4;
  const std::size_t size = 12 + body.size() + padding;
  put_little(type, 4, out);
  put_little(size, 4, out);
  out.append(body).append(padding, '\0');
  put_little(size, 4, out);
}

void put_file_header(std::string& out) {
  std::string section;
  put_little(0x1A2B3C4D, 4, section);
  put_little(1, 2, section);  // version 1.0
  put_little(0, 2, section);
  put_little(UINT64_MAX, 8, section);  // of unknown length
  put_block(0x0A0D0D0A, section, out);
  std::string interface;
  put_little(kRawIp, 2, interface);
  put_little(0, 2, interface);
  put_little(0, 4, interface);  // no snap length; times in microseconds, as is the default
  put_block(1, interface, out);
}

// RFC 1071, of a header of whole 16-bit words.
std::uint16_t checksum(std::string_view header) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < header.size(); i += 2) {
    sum += static_cast<std::uint32_t>(static_cast<unsigned char>(header[i]) << 8 |
                                      static_cast<unsigned char>(header[i + 1]));
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

std::array<std::uint8_t, 4> v4_of(std::string_view text, std::uint32_t fallback) {
  auto ip = conf::Ip::parse(text);
  if (!ip || !ip->is_v4() || *ip == conf::Ip::v4(0)) ip = conf::Ip::v4(fallback);
  std::array<std::uint8_t, 4> bytes{};
  std::copy_n(ip->bytes.end() - 4, 4, bytes.begin());
  return bytes;
}

std::string request_of(const observe::JsonValue& opening) {
  std::string out = "GET " + printable(opening.string_of("path")) +
                    " HTTP/1.1\r\nHost: " + printable(opening.string_of("host")) +
                    "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                    "Sec-WebSocket-Key: ";
  return out.append(kKey).append("\r\n\r\n");
}

std::string answer_of(const observe::JsonValue& opening) {
  std::string out =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
      wire::accept_key(kKey) + "\r\n";
  const std::string subprotocol = printable(opening.string_of("subprotocol"));
  const std::string extensions = printable(opening.string_of("extensions"));
  if (!subprotocol.empty()) out += "Sec-WebSocket-Protocol: " + subprotocol + "\r\n";
  if (!extensions.empty()) out += "Sec-WebSocket-Extensions: " + extensions + "\r\n";
  return out + "\r\n";
}

std::string header_of(const TappedFrame& frame) {
  wire::FrameHeader header;
  header.fin = frame.fin;
  header.rsv = frame.rsv;
  header.opcode = frame.opcode;
  header.masked = frame.masked;
  header.length = frame.length;
  std::array<char, wire::kMaxFrameHeader> bytes{};
  return {bytes.data(), wire::encode_header(header, bytes)};
}

}  // namespace

std::string Capture::begin(const observe::JsonValue& opening, std::int64_t at_us) {
  client_ = v4_of(opening.string_of("client_ip"), kUnknownClient);
  const std::string listener = opening.string_of("listener");
  server_ = v4_of(std::string_view(listener).substr(0, listener.rfind(':')), kUnknownServer);
  std::string out;
  put_file_header(out);
  packet(true, kSyn, "", 0, at_us, out);
  packet(false, kSyn | kAck, "", 0, at_us, out);
  packet(true, kAck, "", 0, at_us, out);
  const std::string request = request_of(opening);
  packet(true, kAck | kPush, request, request.size(), at_us, out);
  const std::string answer = answer_of(opening);
  packet(false, kAck | kPush, answer, answer.size(), at_us, out);
  return out;
}

std::string Capture::frame(const TappedFrame& frame) {
  std::string out;
  std::string payload = header_of(frame);
  const std::uint64_t whole = payload.size() + frame.length;
  payload += frame.bytes;
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(whole, kLargest));
  packet(frame.from_client, kAck | kPush, payload, size, frame.at_us, out);
  (frame.from_client ? client_next_ : server_next_) += static_cast<std::uint32_t>(whole - size);
  return out;
}

void Capture::packet(bool from_client, std::uint8_t flags, std::string_view payload,
                     std::size_t size, std::int64_t at_us, std::string& out) {
  std::string ip;
  put_big(0x4500, 2, ip);  // version 4, five words
  put_big(kHeaders + size, 2, ip);
  put_big(0, 4, ip);       // no fragment
  put_big(0x4006, 2, ip);  // 64 hops, TCP
  put_big(0, 2, ip);
  put(from_client ? client_ : server_, ip);
  put(from_client ? server_ : client_, ip);
  const std::uint16_t sum = checksum(ip);
  ip[10] = static_cast<char>(sum >> 8);
  ip[11] = static_cast<char>(sum & 0xff);

  std::uint32_t& next = from_client ? client_next_ : server_next_;
  const bool first = flags == kSyn;
  std::string data = std::move(ip);
  put_big(from_client ? kClientPort : kServerPort, 2, data);
  put_big(from_client ? kServerPort : kClientPort, 2, data);
  put_big(next, 4, data);
  put_big(first ? 0 : (from_client ? server_next_ : client_next_), 4, data);
  put_big(0x5000U | flags, 2, data);  // five words
  put_big(0xffff, 2, data);           // window
  put_big(0, 4, data);                // no checksum, as a card that makes its own leaves it
  next += static_cast<std::uint32_t>(size) + ((flags & kSyn) != 0 ? 1 : 0);

  data.append(payload);
  std::string block;
  put_little(0, 4, block);  // the interface
  put_little(static_cast<std::uint64_t>(at_us) >> 32, 4, block);
  put_little(static_cast<std::uint64_t>(at_us) & 0xffffffff, 4, block);
  put_little(data.size(), 4, block);
  put_little(kHeaders + size, 4, block);
  put_block(6, block + data, out);
}

}  // namespace fairlead::remote
