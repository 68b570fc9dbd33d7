#include "proxy/demo/chat.h"

#include "proxy/demo/message.h"
#include "proxy/demo/page.h"
#include "proxy/demo/server.h"
#include "proxy/demo/session.h"

namespace fairlead::demo {
namespace {

std::string name_of(std::uint64_t number) {
  return "guest-" + std::to_string(number);
}

void tell_all(Server& server, std::string_view json) {
  server.broadcast(make_frame(wire::Opcode::text, json));
}

void tell_presence(Server& server, std::uint64_t number, std::string_view what) {
  std::string json = "{\"info\":\"" + name_of(number) + ' ';
  json += what;
  json += "\",\"here\":" + std::to_string(server.open()) + '}';
  tell_all(server, json);
}

}  // namespace

const Traits& Chat::traits() const {
  static const Traits kTraits{"/chat", 4096, 256 * 1024, page()};
  return kTraits;
}

void Chat::on_join(Server& server, Session& session) {
  tell_presence(server, session.number(), "joined");
}

void Chat::on_message(Server& server, Session& session, wire::Opcode kind,
                      std::string_view message) {
  if (kind != wire::Opcode::text) return session.end(1003, "this room takes text");
  tell_all(server, "{\"from\":\"" + name_of(session.number()) +
                       "\",\"text\":" + json_string(message) + '}');
}

void Chat::on_leave(Server& server, std::uint64_t number) {
  tell_presence(server, number, "left");
}

std::string json_string(std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out = "\"";
  out.reserve(text.size() + 2);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20) {
      out += "\\u00";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out += '"';
}

}  // namespace fairlead::demo
