#include "proxy/observe/log.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace fairlead::observe {
namespace {

struct Directory : test::TempDirectory {
  std::string read(const char* file) const {
    std::ifstream in(path + file);
    std::stringstream all;
    all << in.rdbuf();
    return all.str();
  }
};

conf::Log settings(const Directory& directory) {
  conf::Log log;
  log.file = directory.path + "/main";
  log.access = directory.path + "/access";
  return log;
}

}  // namespace

TEST_CASE("log: text lines with time and level, below the level nothing", "[observe][log]") {
  Directory directory;
  REQUIRE(open_logs(settings(directory)) == "");
  CHECK(log_enabled(Level::info));
  CHECK_FALSE(log_enabled(Level::debug));
  log_debug("hidden {}", 1);
  log_info("seen {} {{}}", 2);
  log_warn("warned {}", "{}");
  close_logs();
  const std::string text = directory.read("/main");
  CHECK(text.find("hidden") == std::string::npos);
  CHECK(text.find("Z info: seen 2 {}\n") != std::string::npos);
  CHECK(text.find("Z warning: warned {}\n") != std::string::npos);
}

TEST_CASE("log: a text line holds nothing that a terminal would act on", "[observe][log]") {
  Directory directory;
  REQUIRE(open_logs(settings(directory)) == "");
  log_info("admin: GET {}: 404",
           "/\x1b[2J\xc2\x9b"
           "2J\xe2\x80\xae\xfe");
  log_warn("two\n    lines");
  close_logs();
  const std::string text = directory.read("/main");
  CHECK(text.find(R"(info: admin: GET /\u001b[2J\u009b2J\u202e\ufffd: 404)") != std::string::npos);
  CHECK(text.find("warning: two\n    lines\n") != std::string::npos);
}

TEST_CASE("log: json lines escape what they say", "[observe][log]") {
  Directory directory;
  conf::Log log = settings(directory);
  log.format = conf::Log::Format::json;
  log.level = conf::Log::Level::debug;
  REQUIRE(open_logs(log) == "");
  log_debug("a \"quoted\"\nline %v {}", "x");
  close_logs();
  const std::string text = directory.read("/main");
  CHECK(text.find(R"("level":"debug","msg":"a \"quoted\"\u000aline %v x"})") != std::string::npos);
  CHECK(text.find(R"({"ts":"20)") == 0);
}

TEST_CASE("log: reopened it goes on in a new file under the old name", "[observe][log]") {
  Directory directory;
  REQUIRE(open_logs(settings(directory)) == "");
  access_logger()->info("first");
  access_logger()->flush();
  // The logger's thread writes; closing is what waits for it, so the move may come before or after
  // the first line.
  std::rename((directory.path + "/access").c_str(), (directory.path + "/moved").c_str());
  reopen_logs();
  access_logger()->info("second");
  close_logs();
  const std::string both = directory.read("/moved") + directory.read("/access");
  CHECK(both.find("first\n") != std::string::npos);
  CHECK(directory.read("/access").find("second\n") != std::string::npos);
}

TEST_CASE("log: a file that cannot be opened anew is one error, and the old one goes on",
          "[observe][log]") {
  Directory directory;
  const std::string folder = directory.path + "/logs";
  REQUIRE(mkdir(folder.c_str(), 0700) == 0);
  conf::Log log;
  log.file = folder + "/main";
  log.access = folder + "/access";
  REQUIRE(open_logs(log) == "");
  // The same to root as to anybody: the folder is not there any more.
  REQUIRE(std::rename(folder.c_str(), (directory.path + "/moved").c_str()) == 0);
  reopen_logs();
  log_info("main goes on");
  access_logger()->info("access goes on");
  close_logs();
  const std::string main = directory.read("/moved/main");
  CHECK(main.find("error: cannot open the log file " + log.file + ": No such file or directory") !=
        std::string::npos);
  CHECK(main.find("error: cannot open the log file " + log.access) != std::string::npos);
  CHECK(main.find("main goes on\n") != std::string::npos);
  CHECK(directory.read("/moved/access") == "access goes on\n");
  CHECK(access(folder.c_str(), F_OK) != 0);
}

TEST_CASE("log: lines that were lost are told once", "[observe][log]") {
  Directory directory;
  conf::Log log = settings(directory);
  log.access = directory.path + "/fifo";
  REQUIRE(mkfifo(log.access.c_str(), 0600) == 0);
  const int reader = open(log.access.c_str(), O_RDONLY | O_NONBLOCK);
  REQUIRE(open_logs(log) == "");
  close(reader);
  std::signal(SIGPIPE, SIG_IGN);
  access_logger()->info("to nobody");
  access_logger()->info("nor this");
  close_logs();
  const std::string text = directory.read("/main");
  CHECK(text.find("warning: 2 lines of the access log were lost: Broken pipe\n") !=
        std::string::npos);
}

TEST_CASE("log: a file that cannot be written is told in words", "[observe][log]") {
  Directory directory;
  conf::Log log = settings(directory);
  log.file = directory.path + "/main/not/a/directory";
  std::ofstream(directory.path + "/main") << "a file";
  CHECK(open_logs(log) != "");
  close_logs();
}

TEST_CASE("log: access = off has no logger; closed, nothing is enabled", "[observe][log]") {
  Directory directory;
  conf::Log log = settings(directory);
  log.access = "off";
  REQUIRE(open_logs(log) == "");
  CHECK(access_logger() == nullptr);
  close_logs();
  CHECK_FALSE(log_enabled(Level::error));
  log_error("to nobody");
  close_logs();
}

}  // namespace fairlead::observe
