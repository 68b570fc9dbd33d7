// `fairlead drain`: what it asks for, and waiting for its end.

#include <fmt/format.h>

#include <iostream>
#include <thread>

#include "proxy/remote/run.h"
#include "proxy/remote/tables.h"

namespace fairlead::remote {
namespace {

using observe::JsonValue;

constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr std::chrono::milliseconds kLook{500};  // between two looks at how far it is

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= ' ') out += c;
  }
  return out + '"';
}

int wrong(const std::string& text) {
  std::cerr << "fairlead: " << text << "\n";
  return kUsage;
}

// What is drained, in words and as the API's path; "" where it is the process.
struct Aim {
  std::string words;
  std::string path;
};

Aim aim_of(const DrainWish& wish) {
  if (!wish.listener.empty())
    return {"listener " + wish.listener, "/api/listeners/" + encoded(wish.listener)};
  if (!wish.route.empty()) return {"route " + wish.route, "/api/routes/" + encoded(wish.route)};
  return {wish.server, server_path(wish.server)};
}

std::string body_of(const DrainWish& wish, bool process) {
  if (wish.undo) return R"({"state":"ready"})";
  std::string body = process ? "" : R"("state":"drain")";
  if (!wish.rate.empty()) body += (body.empty() ? "" : ",") + ("\"rate\":" + quoted(wish.rate));
  return "{" + body + "}";
}

std::string started_text(const JsonValue& answer, const std::string& words) {
  const JsonValue* const drain = answer.find("drain");
  std::string rate = drain != nullptr ? drain->string_of("rate") : "";
  rate = rate == "off" ? "all at once" : "at " + rate;
  const std::string what = words.empty() ? "all sessions, then the process ends" : words;
  if (answer.flag_of("changed")) return fmt::format("draining {}, {}\n", printable(what), rate);
  return fmt::format("draining {}: under way already, {}\n", printable(what), rate);
}

std::string undone_text(const JsonValue& answer, const std::string& words) {
  return answer.flag_of("changed") || answer.flag_of("undone")
             ? printable(words) + " takes new sessions\n"
             : printable(words) + " was not being drained: it takes new sessions\n";
}

// The drains of the moment. Nothing: nobody answers.
std::optional<JsonValue> look(const Target& target) {
  const Reply reply = ask(target.address, {"GET", "/api/drains", "", target.token});
  return reply.status == 200 ? observe::parse_json(reply.body) : std::nullopt;
}

// Prints how far the drain is, whenever that changes, until it is done.
int wait_for(const Target& target, double id, bool process) {
  std::string last;
  for (;;) {
    const auto answer = look(target);
    if (!answer && process) return 0;  // it has ended
    if (!answer) return no_answer(target, "it answered before");
    const JsonValue* drain = nullptr;
    for (const JsonValue& one : answer->items_of("drains")) {
      if (one.number_of("id") == id) drain = &one;
    }
    if (drain == nullptr && !process) {
      std::cerr << "fairlead: it was undone, or a reload has removed what it drained\n";
      return kFailed;
    }
    if (drain != nullptr) {
      const std::string text = drain_text(*drain);
      if (text != last && !target.json) std::cout << text << "\n" << std::flush;
      last = text;
      const bool done = drain->flag_of("counted") && drain->number_of("left") == 0;
      if (done && !process) return 0;
    }
    std::this_thread::sleep_for(kLook);
  }
}

}  // namespace

int drain(const Target& target, const DrainWish& wish) {
  const int aims = !wish.server.empty() + !wish.listener.empty() + !wish.route.empty();
  const bool process = aims == 0;
  if (aims > 1) return wrong("give one of BACKEND/SERVER, --listener and --route");
  if (wish.undo && process)
    return wrong("a process that stops cannot be called back: --undo needs what is drained");
  if (wish.undo && (wish.wait || !wish.rate.empty()))
    return wrong("--undo goes without --rate and --wait");
  const Aim aim = aim_of(wish);
  if (!process && aim.path.empty()) {
    return wrong("\"" + printable(wish.server) +
                 "\" is not BACKEND/SERVER, such as chat/10.0.0.11:8080 (see fairlead backends)");
  }
  double id = 0;
  const Question question{"POST", process ? "/api/drain" : aim.path, body_of(wish, process)};
  const int code = run(target, question, [&](const JsonValue& answer) {
    const JsonValue* const drain = answer.find("drain");
    if (drain != nullptr) id = drain->number_of("id");
    return wish.undo ? undone_text(answer, aim.words) : started_text(answer, aim.words);
  });
  if (code != 0 || !wish.wait) return code;
  std::cout << std::flush;
  return wait_for(target, id, process);
}

}  // namespace fairlead::remote
