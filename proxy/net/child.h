#pragma once
// Another program as a child process, with descriptors of ours and nothing else.

#include <sys/types.h>

#include <string>
#include <vector>

namespace fairlead::net {

struct Program {
  std::string path;
  std::vector<std::string> arguments;    // argv, the name first
  std::vector<std::string> environment;  // "NAME=value", the whole of it
};

struct Child {
  pid_t pid = -1;     // -1: it was not started
  std::string error;  // ... why, one line
};

// Standard input, output and error are shared. `descriptors` become 3, 4, ... in this order; all
// others are closed there. Safe while other threads run (posix_spawn). The caller reaps it.
Child start_child(const Program& program, const std::vector<int>& descriptors);

// What there is to say about a child that was told to end or has ended: "ended with exit code 1",
// "was killed by signal 11". Waits for it.
std::string reap_child(pid_t pid);

// The path of the program that is running, as it was called: absolute, its symbolic links not
// followed, so that what is put in its place later is found there. `name`: argv[0]; `search`: the
// variable PATH, null where unset.
std::string own_program(const std::string& name, const char* search);

}  // namespace fairlead::net
