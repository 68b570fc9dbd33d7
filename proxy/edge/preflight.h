#pragma once
// What a start would refuse, short of binding sockets, beyond what the configuration's text shows:
// certificates and keys, the user, log folders, servers that are this machine itself. The one look
// that `check`, a start, a reload and an upgrade have in common, so that they say the same.

#include <sys/types.h>

#include <ctime>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "conf/load.h"

namespace fairlead::edge {

// This machine and this process, as far as a configuration depends on them. Tests give their own.
struct Machine {
  struct User {
    uid_t id = 0;
    std::vector<gid_t> groups;
  };

  std::time_t now = 0;
  uid_t uid = 0;                    // the process's effective one
  std::vector<conf::Ip> addresses;  // of the interfaces
  std::function<std::optional<User>(const std::string& name)> find_user;

  static Machine real();
};

enum class Purpose {
  start,   // everything counts
  reload,  // what only a restart takes over (`user`, log files) is a warning
};

// Adds what it finds to `loaded`; with a problem the configuration is taken out of it. A
// configuration that has problems already is given back as it is.
conf::LoadResult preflight(conf::LoadResult loaded, Purpose purpose, const Machine& machine);
conf::LoadResult preflight(conf::LoadResult loaded, Purpose purpose);  // on the real machine

}  // namespace fairlead::edge
