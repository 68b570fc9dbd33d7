#pragma once
// The commands that talk to a running Fairlead.

#include <functional>
#include <string>

#include "proxy/remote/commands.h"
#include "proxy/remote/tap.h"

namespace CLI {
class App;
}

namespace fairlead::cli {

// What `fairlead status` and its like were given; lives as long as the parser.
struct AdminArguments {
  std::string admin;       // --admin, or FAIRLEAD_ADMIN
  std::string token_file;  // --token-file, or FAIRLEAD_TOKEN_FILE
  std::string config;      // -c
  remote::DrainWish drain;
  remote::SessionArguments sessions;  // of sessions and close
  bool json = false;
  remote::TapOptions tap;
  std::function<int()> run;  // set by the command that was given; returns the exit code
};

void add_admin_commands(CLI::App& app, AdminArguments& arguments, const std::string& default_file);

}  // namespace fairlead::cli
