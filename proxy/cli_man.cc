// fairlead(1).

#include <CLI/CLI.hpp>

#include <map>

#include "conf/roff.h"
#include "proxy/cli_documents.h"

namespace fairlead::cli {
namespace {

using conf::roff;
using conf::roff_argument;

constexpr std::string_view kBefore = R"(.SH NAME
fairlead \- WebSocket\-aware reverse proxy and load balancer
.SH SYNOPSIS
.B fairlead
.I command
.RI [ option ...]
.SH DESCRIPTION
Fairlead stands in front of app servers.
It terminates TLS, checks WebSocket handshakes and their Origin, picks a server with sticky
sessions, relays frames both ways, keeps connections alive with pings, enforces limits, and closes
with the right code.
Plain HTTP goes through the same port.
.SH COMMANDS
)";

constexpr std::string_view kAfter = R"(.SH SIGNALS
.TP
.BR TERM ", " INT ", " QUIT
Drain: no new sessions, open ones get Close 1001 between two messages.
A second one ends at once.
.TP
.B HUP
Load the configuration again; a file with a mistake changes nothing.
.TP
.B USR1
Open the log files anew, after they were rotated.
.SH EXIT STATUS
.TP
.B 0
Done.
.TP
.B 1
Bad configuration, or the start failed; of a command that talks to a running Fairlead: nothing
answers there, or it refused.
.TP
.B 2
Wrong usage.
.TP
.B 3
A second signal forced the end.
.SH FILES
.TP
.I /etc/fairlead/fairlead.toml
The configuration, see
.BR fairlead.toml (5).
.TP
.I /run/fairlead/admin.sock
The admin endpoint, as the Debian package sets it up.
.SH EXAMPLES
.TP
.B fairlead demo
A chat page behind the proxy; needs no file.
.TP
.B fairlead proxy \-\-to 127.0.0.1:3000
A proxy in front of one app, without a file.
.TP
.B fairlead check \-c fairlead.toml && systemctl reload fairlead
Take a changed configuration.
.SH SEE ALSO
.BR fairlead.toml (5)
.PP
The manual,
.IR /usr/share/doc/fairlead/manual.md .
)";

std::string sentence(const std::string& text) {
  return roff(text) + (text.empty() || text.back() == '.' ? "" : ".") + "\n";
}

// "-c, --config TEXT" as arguments of .BR or the like: names bold, the value's kind not.
std::string option_head(const CLI::Option& option) {
  if (option.get_positional()) return ".I " + roff_argument(option.get_name(true)) + "\n";
  std::string names;
  for (const std::string& name : option_names(option)) names += (names.empty() ? "" : ", ") + name;
  const std::string value =
      takes_value(option) ? " " + roff_argument(" " + option.get_type_name()) : "";
  return ".BI " + roff_argument(names) + value + "\n";
}

std::string option_man(const CLI::Option& option) {
  std::string result = ".TP\n" + option_head(option) + sentence(option.get_description());
  const std::string fallback = option.get_default_str();
  if (!fallback.empty()) result += sentence("Default: " + fallback);
  const std::string variable = option.get_envname();
  if (!variable.empty()) result += "Else from\n.BR \\%" + roff(variable) + " .\n";
  return result;
}

// Options of many commands are described once.
class CommonOptions {
 public:
  explicit CommonOptions(const std::vector<const CLI::App*>& commands) {
    for (const CLI::App* command : commands) {
      for (const CLI::Option* option : command->get_options()) {
        if (option != command->get_help_ptr()) ++uses_[option_man(*option)];
      }
    }
  }

  bool holds(const CLI::Option& option) const { return uses_.at(option_man(option)) >= kMany; }

  std::string man() const {
    std::string result = ".SH COMMON OPTIONS\n";
    for (const auto& [text, uses] : uses_) {
      if (uses >= kMany) result += text;
    }
    return result;
  }

 private:
  static constexpr int kMany = 3;
  std::map<std::string, int> uses_;
};

std::string usage(const CLI::App& command) {
  std::string result = "fairlead " + command.get_name();
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_positional()) continue;
    const std::string name = option->get_name(true);
    result += option->get_required() ? " " + name : " [" + name + "]";
  }
  return result;
}

std::string command_man(const CLI::App& command, const CommonOptions& common) {
  std::string result =
      ".SS " + roff_argument(usage(command)) + "\n" + sentence(command.get_description());
  bool has_common = false;
  std::string own;
  for (const CLI::Option* option : command.get_options()) {
    if (option == command.get_help_ptr()) continue;
    if (common.holds(*option)) {
      has_common = true;
    } else {
      own += option_man(*option);
    }
  }
  return result + (has_common ? "Takes the common options.\n" : "") + own;
}

}  // namespace

std::string commands_man(const CLI::App& app, std::string_view version, std::string_view date) {
  std::string result = ".TH FAIRLEAD 1 " + std::string(date) + " " +
                       roff_argument("Fairlead " + std::string(version)) + "\n";
  result += kBefore;
  const std::vector<const CLI::App*> commands = app.get_subcommands({});
  const CommonOptions common(commands);
  for (const CLI::App* command : commands) result += command_man(*command, common);
  return result + common.man() + std::string(kAfter);
}

}  // namespace fairlead::cli
