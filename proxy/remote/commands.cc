#include "proxy/remote/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iostream>
#include <thread>
#include <utility>

#include "proxy/net/socket.h"
#include "proxy/remote/run.h"
#include "proxy/remote/session_tables.h"
#include "proxy/remote/tables.h"
#include "proxy/wire/visible_text.h"

namespace fairlead::remote {
namespace {

using observe::JsonValue;

constexpr int kFailed = 1;
constexpr int kUsage = 2;
// Longer than Fairlead itself waits for the new process.
constexpr std::chrono::seconds kUpgradeTime{45};
constexpr std::chrono::milliseconds kUpgradeStep{100};

// As printable(), but a line stays one.
std::string printable_lines(std::string_view text) {
  return wire::visible_text(text, "\n");
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~:").find(c) != std::string_view::npos;
}

}  // namespace

std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += is_unreserved(c) ? std::string(1, c)
                            : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

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
  for (const JsonValue& problem : answer->items_of("problems"))
    std::cerr << printable_lines(problem.text) << "\n";
  return kFailed;
}

int run(const Target& target, Question question,
        const std::function<std::string(const JsonValue&)>& show) {
  question.token = target.token;
  const Reply reply = ask(target.address, question);
  if (reply.status == 0) return no_answer(target, reply.error);
  if (target.json) std::cout << reply.body;
  if (reply.status != 200) return target.json ? kFailed : refused(reply);
  const auto answer = observe::parse_json(reply.body);
  if (!answer) return no_answer(target, "what answers is no JSON");
  const std::string text = show(*answer);
  if (!target.json) std::cout << text;
  return 0;
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

std::string sessions_path(const SessionArguments& arguments) {
  if (!arguments.id.empty()) return "/api/sessions/" + encoded(arguments.id);
  const std::array<std::pair<std::string_view, const std::string&>, 7> parameters{
      {{"route", arguments.route},
       {"backend", arguments.backend},
       {"server", arguments.server},
       {"client", arguments.client},
       {"sort", arguments.sort},
       {"limit", arguments.limit},
       {"offset", arguments.offset}}};
  std::string path = "/api/sessions";
  char before = '?';
  for (const auto& [name, value] : parameters) {
    if (value.empty()) continue;
    path += std::exchange(before, '&');
    path.append(name).append("=").append(encoded(value));
  }
  return path;
}

int sessions(const Target& target, const SessionArguments& arguments) {
  return run(target, {"GET", sessions_path(arguments)},
             arguments.id.empty() ? sessions_text : session_text);
}

int close(const Target& target, const SessionArguments& arguments) {
  const bool filtered = !arguments.route.empty() || !arguments.backend.empty() ||
                        !arguments.server.empty() || !arguments.client.empty();
  if (arguments.id.empty() != filtered) {
    std::cerr
        << "fairlead: close needs a session's ID (see fairlead sessions), or a filter such as "
           "--route; not both\n";
    return kUsage;
  }
  return run(target, {"DELETE", sessions_path(arguments)}, [](const JsonValue& answer) {
    const double count = answer.number_of("closed");
    return fmt::format("{:.0f} session{} closed\n", count, count == 1 ? "" : "s");
  });
}

int upgrade(const Target& target) {
  const Reply begun = ask(target.address, {"POST", "/api/upgrade", "", target.token});
  if (begun.status == 0) return no_answer(target, begun.error);
  if (begun.status != 200) return refused(begun);
  const auto answer = observe::parse_json(begun.body);
  if (!answer) return no_answer(target, "what answers is no JSON");
  const double pid = answer->number_of("pid");
  const auto end = std::chrono::steady_clock::now() + kUpgradeTime;
  // The answers come from the old process first, then from the new one; in between one may be lost.
  while (std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(kUpgradeStep);
    const Reply reply = ask(target.address, {"GET", "/api/status", "", target.token});
    const auto status = observe::parse_json(reply.body);
    const JsonValue* upgrade = status ? status->find("upgrade") : nullptr;
    if (reply.status != 200 || upgrade == nullptr) continue;
    const std::string state = upgrade->string_of("state");
    if (upgrade->number_of("pid") != pid || state == "running") continue;
    if (target.json) std::cout << reply.body;
    if (state == "done") {
      if (!target.json) std::cout << fmt::format("process {:.0f} has taken over\n", pid);
      return 0;
    }
    std::cerr << "fairlead: the upgrade failed, nothing changed: "
              << printable_lines(upgrade->string_of("error")) << "\n";
    return kFailed;
  }
  std::cerr << "fairlead: what became of the upgrade was not told in time: see the log\n";
  return kFailed;
}

}  // namespace fairlead::remote
