// bench_peer echo PORT
// bench_peer load --to HOST:PORT [--tls] [--connections N] [--in-flight N] [--size BYTES]
// [--seconds S] [--idle]

#include <CLI/CLI.hpp>

#include "tests/bench/peer.h"

int main(int argc, char** argv) {
  using namespace fairlead::bench;
  CLI::App app("The bench's echo server and load generator");
  app.require_subcommand(1);
  std::uint16_t port = 0;
  CLI::App* echo = app.add_subcommand("echo", "WebSocket echo server on 127.0.0.1");
  echo->add_option("port", port)->required();
  LoadOptions options;
  std::string target;
  CLI::App* load = app.add_subcommand("load", "Load generator; ends by itself");
  load->add_option("--to", target)->required();
  load->add_flag("--tls", options.tls);
  load->add_option("--connections", options.connections)->check(CLI::Range(1, 9900));
  load->add_option("--in-flight", options.in_flight)->check(CLI::Range(1, 1000));
  load->add_option("--size", options.size)->check(CLI::Range(0, 16 * 1024 * 1024));
  load->add_option("--seconds", options.seconds)->check(CLI::Range(0.1, 120.0));
  load->add_flag("--idle", options.idle, "Keep the connections open until standard input ends");
  CLI11_PARSE(app, argc, argv);
  if (echo->parsed()) return run_echo(port);
  options.target = parse_target(target);
  return run_load(options);
}
