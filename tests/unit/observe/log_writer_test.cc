#include "proxy/observe/log_writer.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <sstream>

#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace fairlead::observe {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMost = 1 << 20;

// A FIFO that a target is opened of, with its reader, which is the test.
class Reader {
 public:
  Reader() {
    mkfifo(path.c_str(), 0600);
    fd_ = open(path.c_str(), O_RDWR | O_NONBLOCK);
  }

  ~Reader() { close(fd_); }

  LogTarget target() {
    std::string error;
    LogTarget made = LogTarget::file(path, std::nullopt, error);
    REQUIRE(error == "");
    return made;
  }

  // As much as goes in.
  void fill() {
    const std::string some(4096, '.');
    while (write(fd_, some.data(), some.size()) > 0) {
    }
  }

  // Makes room for one page, and comes back once that is taken.
  void let_one_page_in() {
    int before = 0;
    int now = -1;
    ioctl(fd_, FIONREAD, &before);
    std::array<char, 4096> page{};
    REQUIRE(read(fd_, page.data(), page.size()) == static_cast<ssize_t>(page.size()));
    while (now != before) ioctl(fd_, FIONREAD, &now);
  }

  std::string take() {
    std::string all;
    std::array<char, 65536> part{};
    for (ssize_t n = 0; (n = read(fd_, part.data(), part.size())) > 0;)
      all.append(part.data(), static_cast<std::size_t>(n));
    return all;
  }

 private:
  test::TempDirectory directory_;

 public:
  const std::string path = directory_.path + "/fifo";

 private:
  int fd_ = -1;
};

std::string read_file(const std::string& path) {
  std::ifstream in(path);
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}

}  // namespace

TEST_CASE("log writer: what is pushed is written, in order", "[observe][log_writer]") {
  test::TempDirectory directory;
  std::string error;
  LogWriter writer(LogTarget::file(directory.path + "/log", std::nullopt, error), kMost);
  std::string want;
  for (int i = 0; i < 1000; ++i) {
    writer.push(std::to_string(i) + "\n");
    want += std::to_string(i) + "\n";
  }
  writer.close(10s);
  CHECK(read_file(directory.path + "/log") == want);
  CHECK(writer.lost() == 0);
}

TEST_CASE("log writer: a pipe's reader that takes its time gets everything",
          "[observe][log_writer]") {
  Reader reader;
  reader.fill();
  LogWriter writer(reader.target(), kMost);
  const std::string line(9999, 'x');
  for (int i = 0; i < 20; ++i) writer.push(line + "\n");
  std::string got;
  while (std::count(got.begin(), got.end(), '\n') < 20) got += reader.take();
  writer.close(10s);
  CHECK(writer.lost() == 0);
  CHECK(got.substr(got.size() - line.size() - 1) == line + "\n");
}

TEST_CASE("log writer: the end does not wait for a reader that hangs", "[observe][log_writer]") {
  Reader reader;
  reader.fill();
  // Of a standard stream the descriptor is somebody else's, too: it stays as it is, blocking.
  const bool standard = GENERATE(false, true);
  const int stream = standard ? open(reader.path.c_str(), O_WRONLY) : -1;
  LogWriter writer(standard ? LogTarget::standard(stream) : reader.target(), kMost);
  CHECK((!standard || (fcntl(stream, F_GETFL) & O_NONBLOCK) == 0));
  writer.push("one\ntwo\n");
  writer.push("three\n");
  const auto begun = Clock::now();
  writer.close(100ms);
  // Without its bound it would never come here; the machine may be slow.
  CHECK(Clock::now() - begun < 30s);
  CHECK(writer.lost() == 3);
  CHECK(writer.why_lost() == "nobody reads them as fast as they come");
  writer.push("late\n");
  CHECK(writer.lost() == 4);
  if (standard) close(stream);
}

TEST_CASE("log writer: beyond its bound the oldest lines are lost, and counted",
          "[observe][log_writer]") {
  Reader reader;
  reader.fill();
  LogWriter writer(reader.target(), 1000);
  const std::string line(99, 'x');
  for (int i = 0; i < 50; ++i) writer.push(line + "\n");
  // Ten wait, and one may be under way.
  CHECK(writer.lost() >= 39);
  CHECK(writer.lost() <= 40);
  const std::uint64_t lost = writer.lost();
  std::string got;
  while (static_cast<std::uint64_t>(std::count(got.begin(), got.end(), '\n')) < 50 - lost)
    got += reader.take();
  writer.close(10s);
  CHECK(writer.lost() == lost);
}

TEST_CASE("log writer: a reader that is gone costs lines, and they are counted with why",
          "[observe][log_writer]") {
  signal(SIGPIPE, SIG_IGN);
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  close(ends[0]);
  LogWriter writer(LogTarget::standard(ends[1]), kMost);
  writer.push("one\ntwo\n");
  writer.close(10s);
  CHECK(writer.lost() == 2);
  CHECK(writer.why_lost() == "Broken pipe");
  close(ends[1]);
}

TEST_CASE("log writer: after another target took its place lines go there",
          "[observe][log_writer]") {
  test::TempDirectory directory;
  std::string error;
  LogWriter writer(LogTarget::file(directory.path + "/old", std::nullopt, error), kMost);
  writer.replace(LogTarget::file(directory.path + "/new", std::nullopt, error));
  writer.push("line\n");
  writer.close(10s);
  CHECK(read_file(directory.path + "/old") == "");
  CHECK(read_file(directory.path + "/new") == "line\n");
}

TEST_CASE("log writer: another target takes over from one whose reader hangs",
          "[observe][log_writer]") {
  test::TempDirectory directory;
  std::string error;
  Reader reader;
  reader.fill();
  LogWriter writer(reader.target(), kMost);
  // It hangs within the second line: the first was taken.
  const std::string first = std::string(99, 'a') + "\n";
  const std::string second = std::string(9999, 'b') + "\n";
  writer.push(first + second + "third\n");
  writer.push("fourth\n");
  reader.let_one_page_in();
  const bool same = GENERATE(false, true);
  writer.replace(same ? reader.target()
                      : LogTarget::file(directory.path + "/new", std::nullopt, error));
  writer.push("fifth\n");
  std::string got;
  while (same && !got.ends_with("fifth\n")) got += reader.take();
  writer.close(10s);
  const std::string rest = second + "third\nfourth\nfifth\n";
  if (same) {
    CHECK(got.substr(got.find_first_not_of('.')) == first + rest);
  } else {
    CHECK(read_file(directory.path + "/new") == rest);
  }
  CHECK(writer.lost() == 0);
}

TEST_CASE("log writer: where only a part can be written no other line is lost with it",
          "[observe][log_writer]") {
  test::TempDirectory directory;
  std::string error;
  LogWriter writer(LogTarget::file(directory.path + "/log", std::nullopt, error), kMost);
  signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{20, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  writer.push("first\nsecond\nthird line\nfourth\n");
  while (writer.lost() == 0) {
  }
  setrlimit(RLIMIT_FSIZE, &before);
  CHECK(writer.lost() == 2);
  CHECK(writer.why_lost() == "File too large");
  writer.push("fifth\n");
  writer.close(10s);
  CHECK(writer.lost() == 2);
  CHECK(read_file(directory.path + "/log") == "first\nsecond\nthird l\nfifth\n");
}

TEST_CASE("log target: what cannot be opened is told, and nothing is made for it",
          "[observe][log_target]") {
  test::TempDirectory directory;
  std::string error;
  CHECK_FALSE(LogTarget::file(directory.path + "/no/log", std::nullopt, error).is_open());
  CHECK(error ==
        "cannot open the log file " + directory.path + "/no/log: No such file or directory");
  CHECK(access((directory.path + "/no").c_str(), F_OK) != 0);
  // A FIFO that nobody reads would hold up whoever opens it.
  const std::string fifo = directory.path + "/fifo";
  mkfifo(fifo.c_str(), 0600);
  CHECK_FALSE(LogTarget::file(fifo, std::nullopt, error).is_open());
}

TEST_CASE("log target: a file that is made belongs to its owner, one that was there does not",
          "[observe][log_target]") {
  if (geteuid() != 0) return;
  test::TempDirectory directory;
  const LogOwner owner{12345, 12346};
  std::string error;

  struct stat what {};

  CHECK(LogTarget::file(directory.path + "/new", owner, error).is_open());
  REQUIRE(stat((directory.path + "/new").c_str(), &what) == 0);
  CHECK(what.st_uid == 12345);
  CHECK(what.st_gid == 12346);
  std::ofstream(directory.path + "/old") << "there\n";
  CHECK(LogTarget::file(directory.path + "/old", owner, error).is_open());
  REQUIRE(stat((directory.path + "/old").c_str(), &what) == 0);
  CHECK(what.st_uid == 0);
  // Nor is anything made at the other end of a link.
  REQUIRE(symlink((directory.path + "/elsewhere").c_str(), (directory.path + "/link").c_str()) ==
          0);
  CHECK_FALSE(LogTarget::file(directory.path + "/link", owner, error).is_open());
  CHECK(access((directory.path + "/elsewhere").c_str(), F_OK) != 0);
}

}  // namespace fairlead::observe
