#include "proxy/remote/tap.h"

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <iostream>

#include "proxy/observe/json_value.h"
#include "proxy/remote/client.h"
#include "proxy/remote/pcapng.h"
#include "proxy/remote/run.h"
#include "proxy/remote/tables.h"

namespace fairlead::remote {
namespace {

using observe::JsonValue;

constexpr int kFailed = 1;
constexpr int kUsage = 2;

bool print_event(const Target& target, std::string_view name, std::string_view data) {
  if (target.json) {
    std::cout << R"({"event":")" << name << R"(","data":)" << data << "}\n";
  } else {
    const std::string line = event_line(name, data);
    if (!line.empty()) std::cout << line << '\n';
  }
  std::cout.flush();
  return std::cout.good() && name != "end";
}

// A capture file in the making.
class File {
 public:
  explicit File(const std::string& path) : out_(path, std::ios::binary | std::ios::trunc) {}

  bool good() const { return out_.good(); }

  std::uint64_t frames() const { return frames_; }

  bool take(std::string_view name, std::string_view data) {
    const auto event = observe::parse_json(data);
    if (event && name == "open") write(capture_.begin(*event, now_us()));
    if (event && name == "frame") {
      write(capture_.frame(tapped_frame(*event)));
      ++frames_;
    }
    if (name == "dropped" || name == "lost") std::cerr << event_line(name, data) << "\n";
    return good() && name != "end";
  }

 private:
  static std::int64_t now_us() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  }

  // So that whoever ends us with ^C finds what was there.
  void write(const std::string& bytes) {
    out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out_.flush();
  }

  std::ofstream out_;
  Capture capture_;
  std::uint64_t frames_ = 0;
};

int finish(const Target& target, const Reply& reply) {
  if (reply.status == 200) return 0;
  if (reply.status == 0) return no_answer(target, reply.error);
  return refused(reply);
}

}  // namespace

int tap(const Target& target, const TapOptions& options) {
  const bool hex = !options.session.empty() &&
                   options.session.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
  if (!hex) {
    std::cerr << "fairlead: \"" << printable(options.session)
              << "\" is no session's id: conn_id in the access log, or fairlead sessions\n";
    return kUsage;
  }
  Question question;
  question.path = fmt::format("/api/sessions/{}/tap?bytes={}", options.session, options.bytes);
  question.token = target.token;
  if (options.pcapng.empty()) {
    return finish(target, listen(target.address, question, [&](auto name, auto data) {
                    return print_event(target, name, data);
                  }));
  }
  File file(options.pcapng);
  if (file.good()) {
    const int code = finish(target, listen(target.address, question, [&](auto name, auto data) {
                              return file.take(name, data);
                            }));
    if (file.good()) {
      if (code == 0) std::cerr << file.frames() << " frames in " << options.pcapng << "\n";
      return code;
    }
  }
  std::cerr << "fairlead: cannot write " << options.pcapng << "\n";
  return kFailed;
}

}  // namespace fairlead::remote
