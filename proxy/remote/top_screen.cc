// `fairlead top` on a terminal: asks each second, draws, waits for a key.

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <iostream>
#include <optional>
#include <utility>

#include "proxy/remote/client.h"
#include "proxy/remote/run.h"
#include "proxy/remote/top.h"

namespace fairlead::remote {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kEvery{1000};
constexpr ClientLimits kPatience{std::chrono::milliseconds(2000), 16 * 1024 * 1024};
constexpr int kFailed = 1;

volatile std::sig_atomic_t ended = 0;

void on_signal(int) {
  ended = 1;
}

// The other screen, keys as they are pressed, no cursor; all as before at its end.
class Screen {
 public:
  Screen() {
    tcgetattr(STDIN_FILENO, &before_);
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);

    struct sigaction action {};

    action.sa_handler = on_signal;
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaction(number, &action, nullptr);
    std::cout << "\x1b[?1049h\x1b[?25l";
  }

  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  ~Screen() {
    std::cout << "\x1b[?25h\x1b[?1049l" << std::flush;
    tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }

  static winsize size() {
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) size = {24, 80, 0, 0};
    return size;
  }

  static void draw(const std::vector<std::string>& lines) {
    std::string out = "\x1b[H";
    for (std::size_t i = 0; i < lines.size(); ++i)
      out += (i == 0 ? "" : "\n") + lines[i] + "\x1b[K";
    std::cout << out << "\x1b[J" << std::flush;
  }

 private:
  termios before_{};
};

// Whether to go on: nobody pressed q, and nothing ended us.
bool wait_for_key(Clock::time_point until) {
  while (ended == 0) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    if (left <= 0) return true;
    pollfd keys{STDIN_FILENO, POLLIN, 0};
    const int n = poll(&keys, 1, static_cast<int>(left));
    if (n < 0 && errno != EINTR) return false;
    char key = 0;
    if (n > 0 && (read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q')) return false;
  }
  return false;
}

// One round of questions. The reply that is not as it should be, if there is one.
std::optional<Reply> look(const Target& target, TopView& view) {
  const auto get = [&](const char* path) {
    Question question;
    question.path = path;
    question.token = target.token;
    return ask(target.address, question, kPatience);
  };
  const auto json = [&](const char* path, observe::JsonValue& out) -> std::optional<Reply> {
    Reply reply = get(path);
    if (reply.status != 200) return reply;
    auto value = observe::parse_json(reply.body);
    if (!value) return Reply{0, "", "what answers is no JSON"};
    out = std::move(*value);
    return std::nullopt;
  };
  if (auto bad = json("/api/status", view.status)) return bad;
  if (auto bad = json("/api/backends", view.backends)) return bad;
  Reply metrics = get("/metrics");
  if (metrics.status != 200) return metrics;
  view.now = read_totals(metrics.body);
  return std::nullopt;
}

int explain(const Target& target, const Reply& bad) {
  if (bad.status != 0) return refused(bad);
  const int code = no_answer(target, bad.error);
  std::cerr << "(start one with `fairlead run`, or say where it is with --admin)\n";
  return code;
}

int print_once(const Target& target) {
  TopView view;
  if (const auto bad = look(target, view)) return explain(target, *bad);
  for (const std::string& line : top_lines(view, SIZE_MAX, SIZE_MAX)) std::cout << line << '\n';
  return 0;
}

// What is shown while nothing answers.
std::vector<std::string> away_lines(const Target& target, const Reply& bad) {
  const std::string why = bad.error.empty() ? fmt::format("HTTP status {}", bad.status) : bad.error;
  return {fmt::format("no Fairlead answers at {} ({})", target.address.text(), why),
          "asking again each second; q quits"};
}

}  // namespace

int top(const Target& target) {
  if (target.json || isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0)
    return print_once(target);
  TopView view;
  if (const auto bad = look(target, view)) return explain(target, *bad);
  Screen screen;
  auto seen = Clock::now();
  for (auto next = seen;;) {
    const winsize size = Screen::size();
    auto lines = top_lines(view, size.ws_row > 1 ? size.ws_row - 1U : 1U, size.ws_col);
    lines.emplace_back("q quits");
    Screen::draw(lines);
    next = std::max(next + kEvery, Clock::now());
    if (!wait_for_key(next)) return 0;
    view.before = view.now;
    while (const auto bad = look(target, view)) {
      Screen::draw(away_lines(target, *bad));
      view.before.reset();  // it may have begun anew
      if (!wait_for_key(Clock::now() + kEvery)) return kFailed;
    }
    const auto now = Clock::now();
    view.seconds = std::chrono::duration<double>(now - std::exchange(seen, now)).count();
  }
}

}  // namespace fairlead::remote
