// bench_peer echo|relay|load ...: the bench's own programs; `bench_peer load --help` and so on.

#include <CLI/CLI.hpp>
#include <csignal>

#include "tests/bench/modes.h"

namespace {

using namespace fairlead::bench;

using Run = int (*)(const LoadOptions&);

void add_relay(CLI::App& app, RelayOptions& options, std::string& target) {
  CLI::App* relay = app.add_subcommand("relay", "Raw relay: the physical limit; bytes only");
  relay->add_option("--to", target, "HOST:PORT")->required();
  relay->add_option("--port", options.plain_port, "Listen here for plain connections");
  CLI::Option* tls = relay->add_option("--tls-port", options.tls_port, "Listen here for TLS");
  tls->needs(relay->add_option("--cert", options.cert, "PEM file"));
  tls->needs(relay->add_option("--key", options.key, "PEM file"));
  relay->add_flag("--splice", options.splice, "Through a pipe, where both sides are plain");
  relay->add_option("--buffer", options.buffer, "Bytes one recv takes")
      ->check(CLI::Range(1, 262144));
}

void add_load_options(CLI::App* mode, LoadOptions& options, std::string& target) {
  mode->add_option("--to", target, "HOST:PORT")->required();
  mode->add_flag("--tls", options.tls);
  mode->add_option("--connections", options.connections)->check(CLI::Range(1, 19000));
  mode->add_option("--opening", options.opening, "Handshakes at a time")
      ->check(CLI::Range(1, 10000));
  mode->add_option("--sources", options.sources, "Source addresses")->check(CLI::Range(1, 10000));
  mode->add_option("--size", options.size, "Payload bytes")->check(CLI::Range(0, 16 * 1024 * 1024));
  mode->add_option("--warm", options.warm, "Seconds before the window")
      ->check(CLI::Range(0.0, 60.0));
  mode->add_option("--seconds", options.seconds, "The window")->check(CLI::Range(0.05, 600.0));
  mode->add_option("--deadline", options.deadline, "Ends by then; 0: the window and a minute");
}

CLI::App* add_mode(CLI::App* load, const char* name, const char* what, LoadOptions& options,
                   std::string& target) {
  CLI::App* mode = load->add_subcommand(name, what);
  add_load_options(mode, options, target);
  return mode;
}

// The mode that was chosen, in `run`.
CLI::App* add_load(CLI::App& app, LoadOptions& options, std::string& target, Run& run) {
  CLI::App* load = app.add_subcommand("load", "Load generator; ends by itself");
  load->require_subcommand(1);
  auto mode = [&](const char* name, const char* what, Run function) {
    CLI::App* added = add_mode(load, name, what, options, target);
    added->callback([&run, function] { run = function; });
    return added;
  };
  mode("echo", "Messages in flight in each session", load_echo)
      ->add_option("--in-flight", options.in_flight)
      ->check(CLI::Range(1, 1000));
  mode("push", "Receives frames of --size", load_push);
  mode("idle", "Opened, kept until standard input ends, closed", load_idle);
  mode("handshakes", "Connects, upgrades, closes, and again", load_handshakes)
      ->add_flag("--resume", options.resume, "TLS: with the tickets of earlier ones");
  mode("get", "Plain GETs on connections that stay; answers of --size", load_get);
  CLI::App* paced =
      mode("paced", "Messages on a schedule, latency from the scheduled time", load_paced);
  paced->add_option("--rate", options.rate, "Messages a second of each session")
      ->check(CLI::Range(0.01, 100000.0));
  paced->add_option("--slow", options.slow, "So many slow readers besides")
      ->check(CLI::Range(0, 19000));
  paced->add_option("--slow-rate", options.slow_rate, "Bytes a second that each takes");
  mode("fan", "One message to all sessions, time until the last has it", load_fan);
  return load;
}

double deadline_of(const LoadOptions& options) {
  if (options.deadline > 0) return options.deadline;
  return options.warm + options.seconds + 60;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // splice(2) knows no MSG_NOSIGNAL
  CLI::App app("The bench's backend, raw relay and load generator");
  app.require_subcommand(1);
  std::uint16_t port = 0;
  CLI::App* echo =
      app.add_subcommand("echo", "WebSocket backend on 127.0.0.1: echo, /push, /fan, GET");
  echo->add_option("port", port)->required();
  std::string target;
  RelayOptions relay;
  add_relay(app, relay, target);
  LoadOptions load;
  Run run = nullptr;
  add_load(app, load, target, run);
  CLI11_PARSE(app, argc, argv);
  raise_open_files();
  end_with_parent();
  if (echo->parsed()) return run_echo(port);
  load.target = relay.target = parse_target(target);
  if (run == nullptr) return run_relay(relay);
  set_deadline(deadline_of(load));
  return run(load);
}
