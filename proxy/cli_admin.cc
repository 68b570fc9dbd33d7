#include "proxy/cli_admin.h"

#include <unistd.h>

#include <CLI/CLI.hpp>

#include <iostream>
#include <optional>

#include "conf/files.h"
#include "conf/load.h"
#include "proxy/remote/commands.h"
#include "proxy/remote/tap.h"
#include "proxy/remote/top.h"

namespace fairlead::cli {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr std::string_view kDefaultAdmin = "127.0.0.1:9180";
constexpr std::size_t kTokenMost = 64 * 1024;

// Where Fairlead is to be asked, and with which token. Else the exit code, with what is wrong
// printed.
class Finder {
 public:
  Finder(const AdminArguments& arguments, std::string default_file)
      : arguments_(arguments), default_file_(std::move(default_file)) {}

  std::optional<remote::Target> find(int& code) {
    remote::Target target;
    target.json = arguments_.json;
    code = read_config(target);
    if (code == 0) code = read_address(target);
    if (code == 0) code = read_token(target);
    return code == 0 ? std::optional(target) : std::nullopt;
  }

 private:
  // A file that was named must be right; the default one is a help if it can be read.
  int read_config(remote::Target& target) {
    const bool named = !arguments_.config.empty();
    if (!named && (!arguments_.admin.empty() || access(default_file_.c_str(), R_OK) != 0)) return 0;
    const conf::LoadResult loaded = conf::load_file(named ? arguments_.config : default_file_);
    if (!loaded.config) {
      if (!named) return 0;
      for (const conf::Problem& problem : loaded.problems) std::cerr << problem.text() << "\n";
      return kFailed;
    }
    target.token = loaded.config->admin.token;
    listen_ = loaded.config->admin.listen;
    if (!named || listen_ || !arguments_.admin.empty()) return 0;
    std::cerr << "fairlead: " << arguments_.config << " has no [admin] listen: give --admin\n";
    return kFailed;
  }

  int read_address(remote::Target& target) {
    std::string error;
    std::string given = arguments_.admin;
    if (given.empty()) given = listen_ ? reachable(*listen_).text() : std::string(kDefaultAdmin);
    const auto address = remote::parse_target(given, error);
    if (address) {
      target.address = *address;
      return 0;
    }
    std::cerr << "fairlead: --admin: " << error << "\n";
    return kUsage;
  }

  // What listens everywhere answers here.
  static conf::Address reachable(conf::Address address) {
    if (address.kind != conf::Address::Kind::ip) return address;
    if (address.ip == conf::Ip::v4(0) || address.ip == conf::Ip{}) {
      address.ip = conf::Ip::v4(0x7f000001);
    }
    return address;
  }

  int read_token(remote::Target& target) {
    if (arguments_.token_file.empty()) return 0;
    const auto content = conf::DiskFiles().read(arguments_.token_file, kTokenMost);
    if (!content.bytes) {
      std::cerr << "fairlead: cannot read " << arguments_.token_file << ": " << content.error
                << "\n";
      return kFailed;
    }
    target.token = *content.bytes;
    while (!target.token.empty() && (target.token.back() == '\n' || target.token.back() == '\r')) {
      target.token.pop_back();
    }
    return 0;
  }

  const AdminArguments& arguments_;
  const std::string default_file_;
  std::optional<conf::Address> listen_;
};

void add_filters(CLI::App& command, remote::SessionArguments& into) {
  command.add_option("--route", into.route, "Only those of this route");
  command.add_option("--backend", into.backend, "... of this backend");
  command.add_option("--server", into.server, "... with this server, HOST:PORT");
  command.add_option("--client", into.client, "... from this address or network");
}

}  // namespace

void add_admin_commands(CLI::App& app, AdminArguments& arguments, const std::string& default_file) {
  const auto add = [&](const char* name, const char* what, auto command) {
    CLI::App* made = app.add_subcommand(name, what);
    made->add_option("--admin", arguments.admin,
                     "The admin endpoint: HOST:PORT or unix:PATH [from the configuration, else "
                     "127.0.0.1:9180]")
        ->envname("FAIRLEAD_ADMIN");
    made->add_option("--token-file", arguments.token_file, "File with the admin token")
        ->envname("FAIRLEAD_TOKEN_FILE");
    made->add_option("-c,--config", arguments.config,
                     "Configuration file, for [admin] [" + default_file + " if it can be read]");
    made->add_flag("--json", arguments.json, "Print the answer as it is");
    made->callback([&arguments, command, default_file] {
      arguments.run = [&arguments, command, default_file] {
        int code = 0;
        const auto target = Finder(arguments, default_file).find(code);
        return target ? command(*target) : code;
      };
    });
    return made;
  };
  add("status", "How a running Fairlead is", remote::status);
  add("backends", "Its backends' servers and their sessions", remote::backends);
  CLI::App* sessions = add("sessions", "Its open sessions, or all about one of them",
                           [&arguments](const remote::Target& target) {
                             return remote::sessions(target, arguments.sessions);
                           });
  remote::SessionArguments& asked = arguments.sessions;
  sessions->add_option("id", asked.id, "A session's ID: its conn_id in the access log");
  add_filters(*sessions, asked);
  sessions->add_option("--sort", asked.sort, "age, idle or rate [age]: the greatest first");
  sessions->add_option("--limit", asked.limit, "How many, at most 1000 [100]");
  sessions->add_option("--offset", asked.offset, "Leave out so many before them");
  CLI::App* close = add("close", "End a session, or all that match: clients get Close 1001",
                        [&arguments](const remote::Target& target) {
                          return remote::close(target, arguments.sessions);
                        });
  close->add_option("id", asked.id, "The session's ID");
  add_filters(*close, asked);
  add("reload", "Let it load its configuration again", remote::reload);
  add("upgrade",
      "Let it hand over to a new process of the program on disk, and wait for the outcome",
      remote::upgrade);
  CLI::App* drain =
      add("drain",
          "Move the sessions of a server, a listener or a route, or of all and end the process",
          [&wish = arguments.drain](const remote::Target& target) {
            return remote::drain(target, wish);
          });
  drain->add_option("server", arguments.drain.server,
                    "BACKEND/SERVER; without it, --listener and --route: stop the process as TERM "
                    "does");
  drain->add_option("--listener", arguments.drain.listener, "This listener, by its address");
  drain->add_option("--route", arguments.drain.route, "This route, by its name");
  drain->add_option(
      "--rate", arguments.drain.rate,
      "Sessions moved per second, such as 50/s; off: all at once [server.drain.rate]");
  drain->add_flag("--undo", arguments.drain.undo,
                  "Stop that: it takes new sessions again, those that are left stay");
  drain->add_flag("--wait", arguments.drain.wait, "Print how far it is until it is done");
  CLI::App* tap = add(
      "tap", "Show a session's frames as they pass",
      [&arguments](const remote::Target& target) { return remote::tap(target, arguments.tap); });
  tap->add_option("session", arguments.tap.session, "Its id: conn_id in the access log")
      ->required();
  tap->add_option("--bytes", arguments.tap.bytes, "Show so many bytes of each payload")
      ->check(CLI::Range(0, 256));
  tap->add_option("--pcapng", arguments.tap.pcapng, "Write a capture for Wireshark to this file");
  add("top", "What it does, drawn anew each second; q quits", remote::top);
}

}  // namespace fairlead::cli
