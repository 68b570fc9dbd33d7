#include <benchmark/benchmark.h>

#include "proxy/observe/access_log.h"

namespace fairlead::bench {
namespace {

observe::Entry opened(const conf::Ip& ip) {
  observe::Entry entry;
  entry.event = "open";
  entry.conn_id = 0x12ab;
  entry.request_id = "b1946ac92492d234";
  entry.client_ip = &ip;
  entry.listener = "0.0.0.0:443";
  entry.tls = "TLSv1.3";
  entry.sni = "chat.example.com";
  entry.host = "chat.example.com";
  entry.path = "/chat/room";
  entry.route = "chat";
  entry.backend = "chat";
  entry.server = "10.0.0.11:8080";
  entry.status = 101;
  entry.origin = "https://app.example.com";
  entry.extensions = "permessage-deflate";
  entry.handshake_ms = 1.5;
  return entry;
}

observe::Entry closed(const conf::Ip& ip) {
  observe::Entry entry = opened(ip);
  entry.event = "close";
  entry.duration_ms = 61000.0625;
  entry.traffic = observe::Entry::Traffic{1200, 3400, 56789, 123456789};
  entry.pings = 3;
  entry.rtt_ms = 0.41;
  entry.close_code = 1001;
  entry.close_reason = "going away";
  entry.closed_by = "client";
  entry.reason = "client_closed";
  return entry;
}

// Into a buffer that has grown already, as a worker's has.
void access_log_line(benchmark::State& state, observe::Entry (*make)(const conf::Ip&)) {
  const conf::Ip ip = conf::Ip::v4(0xC0000201);
  const observe::Entry entry = make(ip);
  std::chrono::system_clock::time_point now{std::chrono::seconds(1709210096)};
  std::string out;
  for (auto _ : state) {
    out.clear();
    now += std::chrono::microseconds(50);
    observe::append_line(entry, now, out);
    benchmark::DoNotOptimize(out.data());
  }
}

BENCHMARK_CAPTURE(access_log_line, open, opened);
BENCHMARK_CAPTURE(access_log_line, close, closed);

}  // namespace
}  // namespace fairlead::bench
