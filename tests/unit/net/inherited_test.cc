#include "proxy/net/inherited.h"

#include <fcntl.h>
#include <unistd.h>

#include "tests/support/catch.h"
#include "tests/support/temp_directory.h"

namespace fairlead::net {
namespace {

conf::Address address(const std::string& text) {
  const auto parsed = conf::Address::parse(text);
  REQUIRE(parsed);
  return *parsed;
}

// Puts descriptors where a parent would, and what was there back at the end.
class Parent {
 public:
  explicit Parent(std::vector<Fd> sockets) {
    std::vector<Fd> high;
    for (const Fd& socket : sockets) high.emplace_back(fcntl(socket.get(), F_DUPFD_CLOEXEC, 100));
    sockets.clear();
    for (int number = kFirstInherited; const Fd& socket : high) {
      saved_.emplace_back(fcntl(number, F_DUPFD_CLOEXEC, 100));
      if (socket) {
        dup2(socket.get(), number);
      } else {
        close(number);
      }
      ++number;
    }
  }

  ~Parent() {
    for (std::size_t i = 0; i < saved_.size(); ++i) {
      const int number = kFirstInherited + static_cast<int>(i);
      if (saved_[i]) dup2(saved_[i].get(), number);
    }
  }

  Parent(const Parent&) = delete;
  Parent& operator=(const Parent&) = delete;

 private:
  std::vector<Fd> saved_;
};

Announced announced(unsigned count) {
  Announced result;
  result.count = count;
  return result;
}

}  // namespace

TEST_CASE("inherited: what LISTEN_FDS and its like announce", "[net][inherited]") {
  struct Row {
    const char* pid;
    const char* fds;
    const char* names;
    bool trusted;
    unsigned count;
    std::vector<std::string> found;
    bool error;
  };

  const std::vector<Row> rows = {
      {nullptr, nullptr, nullptr, false, 0, {}, false},
      {"7", nullptr, "a", false, 0, {}, false},
      {"7", "2", nullptr, false, 2, {}, false},
      {"8", "2", nullptr, false, 0, {}, false},
      {nullptr, "2", nullptr, false, 0, {}, false},
      {nullptr, "2", nullptr, true, 2, {}, false},
      {"8", "2", nullptr, true, 2, {}, false},
      {"7", "0", nullptr, false, 0, {}, false},
      {"7", "4096", nullptr, false, 4096, {}, false},
      {"7", "4097", nullptr, false, 0, {}, true},
      {"7", "-1", nullptr, false, 0, {}, true},
      {"7", "", nullptr, false, 0, {}, true},
      {"7", "1x", nullptr, false, 0, {}, true},
      {"x", "1", nullptr, false, 0, {}, true},
      {"7", "99999999999999999999", nullptr, false, 0, {}, true},
      {"7", "2", "a:b", false, 2, {"a", "b"}, false},
      {"7", "2", "a::c", false, 2, {"a", ""}, false},
      {"7", "2", "a", false, 2, {"a"}, false},
      {"7", "2", "", false, 2, {}, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.pid, row.fds, row.names, row.trusted);
    const Announced result = parse_announced(7, row.pid, row.fds, row.names, row.trusted);
    CHECK(result.count == row.count);
    CHECK(result.names == row.found);
    CHECK(result.error.empty() != row.error);
  }
}

TEST_CASE("inherited: listeners find theirs by what they are bound to", "[net][inherited]") {
  const test::TempDirectory folder;
  Bound tcp = listen_on(address("127.0.0.1:0"));
  Bound file = listen_on(address("unix:" + folder.path + "/s"));
  Bound other = listen_on(address("127.0.0.1:0"));
  const conf::Address at = tcp.address;
  const conf::Address path = file.address;
  const conf::Address rest = other.address;
  fcntl(tcp.fd.get(), F_SETFL, 0);
  std::vector<Fd> sockets;
  for (Bound* one : {&tcp, &file, &other}) sockets.push_back(std::move(one->fd));
  const Parent parent(std::move(sockets));
  Inherited inherited(announced(3));
  CHECK(inherited.problems().empty());
  CHECK_FALSE(inherited.claim(address("127.0.0.1:1")).fd);
  const Bound found = inherited.claim(at);
  REQUIRE(found.fd);
  CHECK(found.address == at);
  CHECK((fcntl(found.fd.get(), F_GETFL) & O_NONBLOCK) != 0);
  CHECK((fcntl(found.fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK_FALSE(inherited.claim(at).fd);
  CHECK(inherited.claim(path).address == path);
  CHECK(inherited.close_rest() == std::vector<std::string>{rest.text()});
  CHECK(inherited.close_rest().empty());
  CHECK_FALSE(inherited.claim(rest).fd);
}

TEST_CASE("inherited: of a hand-over they are found as the configuration writes them",
          "[net][inherited]") {
  Bound first = listen_on(address("127.0.0.1:0"));
  Bound second = listen_on(address("127.0.0.1:0"));
  const conf::Address one = first.address;
  const conf::Address two = second.address;
  std::vector<Fd> sockets;
  sockets.push_back(std::move(first.fd));
  sockets.push_back(std::move(second.fd));
  const Parent parent(std::move(sockets));
  Inherited inherited(announced(2));
  inherited.set_written({"127.0.0.1:0", "127.0.0.1:0"});
  CHECK(inherited.claim(address("127.0.0.1:0")).address == one);
  CHECK(inherited.claim(two).address == two);  // written out by now
  CHECK_FALSE(inherited.claim(address("127.0.0.1:0")).fd);
}

TEST_CASE("inherited: what no listener can use is closed and said", "[net][inherited]") {
  std::vector<Fd> sockets;
  sockets.emplace_back(socket(AF_INET, SOCK_DGRAM, 0));
  sockets.emplace_back(socket(AF_INET, SOCK_STREAM, 0));
  sockets.emplace_back(open("/dev/null", O_RDONLY));
  sockets.emplace_back();
  const Parent parent(std::move(sockets));
  Announced all = announced(4);
  all.names = {"datagram"};
  Inherited inherited(all);
  CHECK(inherited.problems() ==
        std::vector<std::string>{
            "inherited descriptor 3 (datagram) is no stream socket: it is not used",
            "inherited descriptor 4 is not listening: it is not used",
            "inherited descriptor 5 is no stream socket: it is not used",
            "inherited descriptor 6 is not open: it is not used"});
  CHECK(inherited.close_rest().empty());
}

}  // namespace fairlead::net
