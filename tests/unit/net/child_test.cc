#include "proxy/net/child.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "proxy/net/socket.h"
#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace fairlead::net {
namespace {

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
    out = Fd(ends[0]);
    in = Fd(ends[1]);
  }

  std::string text() {
    in.reset();
    std::string all;
    std::array<char, 256> part{};
    for (ssize_t n = 0; (n = read(out.get(), part.data(), part.size())) > 0;)
      all.append(part.data(), static_cast<std::size_t>(n));
    return all;
  }

  Fd out, in;
};

}  // namespace

TEST_CASE("child: it gets these descriptors and variables, and no others", "[net][child]") {
  Pipe first;
  Pipe second;
  const Fd foreign(fcntl(0, F_DUPFD, 20));  // without close-on-exec
  const Child child =
      start_child({"/bin/sh",
                   {"sh", "-c", "echo $A >&3; echo b >&4; ls /proc/self/fd | tr '\\n' ' ' >&4"},
                   {"A=value", "PATH=/usr/bin:/bin"}},
                  {first.in.get(), second.in.get()});
  REQUIRE(child.error == "");
  CHECK(first.text() == "value\n");
  const std::string seen = second.text();
  CHECK(seen.substr(0, 2) == "b\n");
  CHECK(seen.find(" 20") == std::string::npos);
  CHECK(reap_child(child.pid) == "ended with exit code 0");
}

TEST_CASE("child: descriptors that stand in each other's way", "[net][child]") {
  Pipe a;
  Pipe b;
  // The first is to become 3, the second 4, whatever they are now.
  const Child child =
      start_child({"/bin/sh", {"sh", "-c", "echo a >&3; echo b >&4"}, {}},
                  {std::max(a.in.get(), b.in.get()), std::min(a.in.get(), b.in.get())});
  REQUIRE(child.error == "");
  Pipe& third = a.in.get() > b.in.get() ? a : b;
  Pipe& fourth = a.in.get() > b.in.get() ? b : a;
  a.in.reset();
  b.in.reset();
  CHECK(third.text() == "a\n");
  CHECK(fourth.text() == "b\n");
  CHECK(reap_child(child.pid) == "ended with exit code 0");
}

TEST_CASE("child: how it ended, or why it did not start", "[net][child]") {
  const Child child = start_child({"/bin/sh", {"sh", "-c", "exit 7"}, {}}, {});
  CHECK(reap_child(child.pid) == "ended with exit code 7");
  const Child killed = start_child({"/bin/sh", {"sh", "-c", "kill -9 $$"}, {}}, {});
  CHECK(reap_child(killed.pid) == "was killed by signal 9");
  const Child none = start_child({"/nowhere/at/all", {"x"}, {}}, {});
  CHECK(none.pid == -1);
  CHECK(none.error == "cannot start /nowhere/at/all: No such file or directory");
}

TEST_CASE("child: the path of the running program is the one it was called by", "[net][child]") {
  const test::TempDirectory folder;
  const std::string path = folder.path + "/tool";
  std::ofstream(path) << "x";
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  const std::string search = "/nowhere:" + folder.path;
  CHECK(own_program("tool", search.c_str()) == path);
  CHECK(own_program("/opt/tool", nullptr) == "/opt/tool");
  CHECK(own_program("./tool", nullptr) == (std::filesystem::current_path() / "./tool").string());
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  CHECK(own_program("not-there-at-all", search.c_str()) == self);
  CHECK(own_program("", nullptr) == self);
}

}  // namespace fairlead::net
