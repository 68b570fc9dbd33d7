#pragma once
// argv -> what to do. One function a subcommand; each returns the exit code: 0 done, 1 bad
// configuration or failed start, 2 wrong usage, 3 a second signal forced the end.

#include <string>
#include <vector>

#include "proxy/net/child.h"

namespace fairlead::cli {

struct ProxyOptions {
  std::vector<std::string> to;
  std::string listen;
  std::string cert;
  std::string key;
  std::vector<std::string> origins;
  bool print_config = false;
};

// `self`: this program, to be started again at an upgrade.
int run(const std::string& file, net::Program self);
int check(const std::string& file);
int demo(const std::string& listen);
int proxy(const ProxyOptions& options, net::Program self);

// The TOML that `fairlead proxy` stands for.
std::string proxy_config(const ProxyOptions& options);

}  // namespace fairlead::cli
