// The command line (interface: section 1).

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdlib>
#include <iostream>

#include "proxy/cli.h"
#include "proxy/cli_admin.h"
#include "proxy/cli_documents.h"
#include "proxy/net/standard_descriptors.h"

namespace {

constexpr const char* kDefaultFile = "/etc/fairlead/fairlead.toml";
constexpr int kFailed = 1;
constexpr int kUsage = 2;

}  // namespace

int main(int argc, char** argv) {
  if (!fairlead::net::fill_standard_descriptors()) return kFailed;
  std::signal(
      SIGPIPE,
      SIG_IGN);  // NOLINT(bugprone-*): cannot fail for SIGPIPE; a peer's end is told by write()
  // A log at the limit of file sizes (ulimit -f) loses lines, not the process.
  std::signal(SIGXFSZ, SIG_IGN);  // NOLINT(bugprone-*): as above; write() tells it
  namespace cli = fairlead::cli;
  const std::vector<std::string> arguments(argv, argv + argc);
  const fairlead::net::Program self{
      fairlead::net::own_program(arguments.empty() ? "" : arguments[0], std::getenv("PATH")),
      arguments,
      {}};
  CLI::App app("Fairlead: a reverse proxy and load balancer that understands WebSocket frames.",
               "fairlead");
  app.set_version_flag("--version,-V", "fairlead " FAIRLEAD_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Try: fairlead demo\nExit codes: 0 done, 1 bad configuration or failed start, 2 wrong "
      "usage,\n"
      "            3 a second signal forced the end.");

  std::string file = kDefaultFile;
  CLI::App* run = app.add_subcommand("run", "Serve in the foreground");
  run->add_option("-c,--config", file, "Configuration file")->capture_default_str();
  CLI::App* check = app.add_subcommand("check", "Validate a configuration; prints every error");
  check->add_option("-c,--config", file, "Configuration file")->capture_default_str();

  std::string demo_listen = "127.0.0.1:8443";
  CLI::App* demo =
      app.add_subcommand("demo", "A chat page and two WebSocket backends behind a TLS listener");
  demo->add_option("--listen", demo_listen, "Address to listen on")->capture_default_str();

  cli::ProxyOptions options;
  CLI::App* proxy = app.add_subcommand("proxy", "A proxy without a file");
  proxy
      ->add_option(
          "--to", options.to,
          "Server to relay to: ADDRESS:PORT, NAME:PORT, unix:PATH or a port; may be repeated")
      ->required();
  proxy->add_option("--listen", options.listen,
                    "Address to listen on [127.0.0.1:8080, with --cert 127.0.0.1:8443]");
  CLI::Option* cert =
      proxy->add_option("--cert", options.cert, "Certificate chain, PEM: serves https and wss");
  CLI::Option* key = proxy->add_option("--key", options.key, "Private key, PEM");
  cert->needs(key);
  key->needs(cert);
  proxy->add_option("--origin", options.origins,
                    "Origin that may connect [same-origin]; may be repeated");
  proxy->add_flag("--print-config", options.print_config,
                  "Print the equivalent configuration and exit");
  cli::AdminArguments admin;
  cli::add_admin_commands(app, admin, kDefaultFile);
  cli::DocumentArguments documents;
  cli::add_document_commands(app, documents);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    return app.exit(problem) == 0 ? 0 : kUsage;
  }
  if (admin.run) return admin.run();
  if (run->parsed()) return cli::run(file, self);
  if (check->parsed()) return cli::check(file);
  if (demo->parsed()) return cli::demo(demo_listen);
  if (proxy->parsed()) return cli::proxy(options, self);
  if (documents.run) return documents.run();
  return kUsage;
}
