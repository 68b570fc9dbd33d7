#include "proxy/remote/commands.h"

#include <fmt/format.h>

#include <iostream>

#include "proxy/net/socket.h"
#include "proxy/observe/json_value.h"
#include "proxy/remote/client.h"
#include "proxy/remote/tables.h"

namespace fairlead::remote {
namespace {

using observe::JsonValue;

constexpr int kFailed = 1;
constexpr int kUsage = 2;

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~:").find(c) != std::string_view::npos;
}

std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += is_unreserved(c) ? std::string(1, c)
                            : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

// Asks, and prints what `show` makes of the answer.
template <class Show>
int run(const Target& target, Question question, Show show) {
  question.token = target.token;
  const Reply reply = ask(target.address, question);
  if (reply.status == 0) return no_answer(target, reply.error);
  if (target.json) {
    std::cout << reply.body;
    return reply.status == 200 ? 0 : kFailed;
  }
  if (reply.status != 200) return refused(reply);
  const auto answer = observe::parse_json(reply.body);
  if (!answer) return no_answer(target, "what answers is no JSON");
  std::cout << show(*answer);
  return 0;
}

}  // namespace

int no_answer(const Target& target, const std::string& why) {
  std::cerr << "fairlead: no Fairlead answers at " << target.address.text()
            << ": is it running, and is [admin] listen set to this address? (" << why << ")\n";
  return kFailed;
}

int refused(const Reply& reply) {
  const auto answer = observe::parse_json(reply.body);
  std::string why = answer ? printable(answer->string_of("error")) : "";
  if (why.empty()) why = "HTTP status " + std::to_string(reply.status);
  std::cerr << "fairlead: " << why << "\n";
  if (reply.status == 401) std::cerr << "(the commands take it with --token-file FILE)\n";
  if (!answer) return kFailed;
  // As `check` prints them, each with the line it is about.
  for (const JsonValue& problem : answer->items_of("problems")) std::cerr << problem.text << "\n";
  return kFailed;
}

std::optional<conf::Address> parse_target(std::string_view text, std::string& error) {
  constexpr std::string_view kScheme = "http://";
  if (text.substr(0, kScheme.size()) == kScheme) {
    text.remove_prefix(kScheme.size());
    if (!text.empty() && text.back() == '/') text.remove_suffix(1);
  }
  std::string full(text);
  if (full.find_first_not_of("0123456789") == std::string::npos) full = ":" + full;
  if (full.front() == ':') full = "127.0.0.1" + full;
  auto address = conf::Address::parse(full);
  if (!address) {
    error = "\"" + printable(text) + "\" is not an address such as 127.0.0.1:9180 or unix:/PATH";
    return std::nullopt;
  }
  if (address->kind != conf::Address::Kind::name) return address;
  const auto found = net::resolve(address->host, error);
  if (found.empty()) return std::nullopt;
  address->kind = conf::Address::Kind::ip;
  address->host.clear();
  address->ip = found.front();
  return address;
}

std::string server_path(std::string_view name) {
  const std::size_t slash = name.find('/');
  if (slash == 0 || slash == std::string_view::npos || slash + 1 == name.size()) return "";
  return "/api/backends/" + encoded(name.substr(0, slash)) + "/servers/" +
         encoded(name.substr(slash + 1));
}

int status(const Target& target) {
  return run(target, {"GET", "/api/status"}, status_text);
}

int backends(const Target& target) {
  return run(target, {"GET", "/api/backends"}, backends_text);
}

int reload(const Target& target) {
  return run(target, {"POST", "/api/reload"},
             [](const JsonValue&) { return std::string("reloaded\n"); });
}

int drain(const Target& target, const std::string& server, bool undo) {
  if (server.empty() && undo) {
    std::cerr << "fairlead: a process that stops cannot be called back: --undo needs "
                 "BACKEND/SERVER\n";
    return kUsage;
  }
  if (server.empty()) {
    return run(target, {"POST", "/api/drain"}, [](const JsonValue&) {
      return std::string("draining: the process ends when its sessions have\n");
    });
  }
  const std::string path = server_path(server);
  if (path.empty()) {
    std::cerr << "fairlead: \"" << printable(server)
              << "\" is not BACKEND/SERVER, such as chat/10.0.0.11:8080 (see fairlead backends)\n";
    return kUsage;
  }
  const std::string body = undo ? R"({"state":"ready"})" : R"({"state":"drain"})";
  return run(target, {"POST", path, body}, [&](const JsonValue& now) {
    return fmt::format("{} {}, {:.0f} open\n", printable(server),
                       undo ? "takes new sessions" : "takes no new sessions",
                       now.number_of("sessions"));
  });
}

}  // namespace fairlead::remote
