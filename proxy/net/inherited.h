#pragma once
// Listening sockets that whoever started the process has opened for it, as systemd's socket
// activation passes them (sd_listen_fds(3)), and a process that hands over to its successor.

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "proxy/net/socket.h"

namespace fairlead::net {

constexpr int kFirstInherited = 3;         // SD_LISTEN_FDS_START
constexpr unsigned kMostInherited = 4096;  // more are a mistake

// What the environment says about them.
struct Announced {
  unsigned count = 0;              // descriptors from kFirstInherited on
  std::vector<std::string> names;  // of as many as were named; they may be fewer
  std::string error;               // not empty: what is wrong with it, then count is 0
};

// LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES, null where unset. Meant for another process than
// `self`: nothing is announced. `pid` may be unset with `trusted`: a predecessor cannot know it.
Announced parse_announced(pid_t self, const char* pid, const char* fds, const char* names,
                          bool trusted);

class Inherited {
 public:
  Inherited() = default;

  // Takes the descriptors over: they are the object's from then on, close-on-exec and
  // non-blocking. What is no listening stream socket is closed, with a line in problems().
  explicit Inherited(const Announced& announced);

  // They are one listener's each, in this order, whatever they are bound to (a hand-over: the
  // configuration may say port 0). `addresses` as the configuration writes them.
  void set_written(const std::vector<std::string>& addresses);

  // The socket for that listener: the one written so, else the one bound there. Nothing: there is
  // none.
  Bound claim(const conf::Address& address);

  // Closes what nobody claimed; their addresses.
  std::vector<std::string> close_rest();

  const std::vector<std::string>& problems() const { return problems_; }

 private:
  struct Socket {
    Fd fd;
    conf::Address bound;
    std::string written{};
  };

  std::string take(int number);

  std::vector<Socket> sockets_;  // claimed ones have no fd
  std::vector<std::string> problems_;
};

// The address a socket is bound to. False: it has none that a listener could have.
bool bound_address(int fd, conf::Address& out);

}  // namespace fairlead::net
