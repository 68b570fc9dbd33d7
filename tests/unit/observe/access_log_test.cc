#include "proxy/observe/access_log.h"

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <sstream>

#include "proxy/observe/json.h"
#include "tests/support/catch.h"

namespace fairlead::observe {
namespace {

// 2024-02-29 12:34:56.789
const std::chrono::system_clock::time_point kNow{std::chrono::milliseconds(1709210096789)};

std::string line(const Entry& entry) {
  std::string out;
  append_line(entry, kNow, out);
  return out;
}

std::string json(std::string_view text) {
  std::string out;
  append_json_string(text, out);
  return out;
}

}  // namespace

TEST_CASE("access log: a session's closing line, all of it", "[observe][access]") {
  const conf::Ip ip = conf::Ip::v4(0xC0000201);
  Entry entry;
  entry.event = "close";
  entry.conn_id = 0x12ab;
  entry.request_id = "req-1";
  entry.client_ip = &ip;
  entry.listener = "0.0.0.0:443";
  entry.tls = "TLSv1.3";
  entry.sni = "chat.example.com";
  entry.host = "chat.example.com";
  entry.path = "/chat";
  entry.route = "chat";
  entry.backend = "chat";
  entry.server = "10.0.0.11:8080";
  entry.status = 101;
  entry.origin = "https://app.example.com";
  entry.subprotocol = "v1";
  entry.extensions = "permessage-deflate";
  entry.handshake_ms = 1.5;
  entry.duration_ms = 61000.0625;
  entry.traffic = Entry::Traffic{1, 2, 3, 18446744073709551615ULL};
  entry.pings = 3;
  entry.rtt_ms = 0.04;
  entry.close_code = 1001;
  entry.close_reason = "going \"away\"";
  entry.closed_by = "client";
  entry.reason = "client_closed";
  CHECK(
      line(entry) ==
      R"({"ts":"2024-02-29T12:34:56.789Z","event":"close","conn_id":"00000000000012ab","request_id":"req-1",)"
      R"("client_ip":"192.0.2.1","listener":"0.0.0.0:443","tls":"TLSv1.3","sni":"chat.example.com",)"
      R"("host":"chat.example.com","path":"/chat","route":"chat","backend":"chat","server":"10.0.0.11:8080",)"
      R"("status":101,"origin":"https://app.example.com","subprotocol":"v1","extensions":"permessage-deflate",)"
      R"("handshake_ms":1.500,"duration_ms":61000.063,"msgs_in":1,"msgs_out":2,"bytes_in":3,)"
      R"("bytes_out":18446744073709551615,"pings":3,"rtt_ms":0.040,"close_code":1001,)"
      R"("close_reason":"going \"away\"","closed_by":"client","reason":"client_closed"})"
      "\n");
}

TEST_CASE("access log: what is empty or absent is left out", "[observe][access]") {
  Entry entry;
  entry.event = "http";
  CHECK(line(entry) ==
        R"({"ts":"2024-02-29T12:34:56.789Z","event":"http","conn_id":"0000000000000000"})"
        "\n");
}

TEST_CASE("access log: a session that ended without a Close says so", "[observe][access]") {
  Entry entry;
  entry.event = "close";
  entry.closed_by = "client";
  entry.reason = "client_gone";
  CHECK(line(entry) ==
        R"({"ts":"2024-02-29T12:34:56.789Z","event":"close","conn_id":"0000000000000000",)"
        R"("close_code":null,"closed_by":"client","reason":"client_gone"})"
        "\n");
}

TEST_CASE("access log: an http line", "[observe][access]") {
  Entry entry;
  entry.event = "http";
  entry.conn_id = 1;
  entry.method = "GET";
  entry.status = 404;
  entry.duration_ms = 0;
  entry.bytes_out = 0;
  entry.reason = "no_route";
  CHECK(
      line(entry) ==
      R"({"ts":"2024-02-29T12:34:56.789Z","event":"http","conn_id":"0000000000000001","method":"GET",)"
      R"("status":404,"duration_ms":0.000,"bytes_out":0,"reason":"no_route"})"
      "\n");
}

TEST_CASE("access log: milliseconds keep their zeros", "[observe][access]") {
  std::string out;
  append_line({}, std::chrono::system_clock::time_point{std::chrono::milliseconds(1000)}, out);
  CHECK(out.find("\"1970-01-01T00:00:01.000Z\"") != std::string::npos);
}

TEST_CASE("access log: strings are JSON whatever a client puts into them", "[observe][access]") {
  struct Row {
    std::string_view text;
    const char* want;
  };

  using namespace std::string_view_literals;
  const auto row =
      GENERATE(values<Row>({{""sv, R"("")"},
                            {"plain"sv, R"("plain")"},
                            {"a\"b\\c/d"sv, R"("a\"b\\c/d")"},
                            {"line\nbreak\r\ttab"sv, R"("line\u000abreak\u000d\u0009tab")"},
                            {"nul\0del\x7f"sv, R"("nul\u0000del\u007f")"},
                            {"gr\xc3\xbc\xc3\x9f"sv, "\"gr\xc3\xbc\xc3\x9f\""},
                            {"\xf0\x9f\x98\x80"sv, "\"\xf0\x9f\x98\x80\""},
                            {"c1 \xc2\x9b"
                             "31m"sv,
                             R"("c1 \u009b31m")"},
                            {"https://a\xe2\x80\xae.example"sv, R"("https://a\u202e.example")"},
                            {"\xe2\x81\xa6x\xe2\x80\xa8\xd8\x9c"sv, R"("\u2066x\u2028\u061c")"},
                            {"gr\xc3\xbc \xff"sv, "\"gr\xc3\xbc \\ufffd\""},
                            {"bad \xff byte"sv, R"("bad \ufffd byte")"},
                            {"cut \xe2\x82"sv, R"("cut \ufffd\ufffd")"},
                            {"\xed\xa0\x80"sv, R"("\ufffd\ufffd\ufffd")"}}));
  CHECK(json(row.text) == row.want);
}

TEST_CASE("access log: a byte that needs an escape is found wherever it stands",
          "[observe][access]") {
  const std::string plain = "0123456789abcdefghijklm";
  for (std::size_t at = 0; at < plain.size(); ++at) {
    for (const char bad : {'"', '\\', '\n', '\x7f', '\x1f', '\xff', '\t'}) {
      std::string text = plain;
      text[at] = bad;
      Entry entry;
      entry.path = text;
      CHECK(line(entry).find("\"path\":" + json(text)) != std::string::npos);
      CHECK(json(text).size() > plain.size() + 2);
    }
  }
  Entry entry;
  const std::string long_text(5000, 'x');
  entry.path = entry.host = long_text;
  CHECK(line(entry).size() > 10'000);
}

TEST_CASE("access log: lines of a turn are handed over at once, each on its own line",
          "[observe][access]") {
  std::ostringstream out;
  auto logger = std::make_shared<spdlog::logger>(
      "test", std::make_shared<spdlog::sinks::ostream_sink_st>(out));
  logger->set_pattern("%v");
  AccessLog log(logger);
  CHECK(log.on());
  log.flush();
  CHECK(out.str().empty());
  for (std::uint64_t i = 0; i < 3; ++i) {
    Entry entry;
    entry.event = "open";
    entry.conn_id = i;
    log.write(entry);
  }
  CHECK(out.str().empty());
  log.flush();
  log.flush();
  const std::string text = out.str();
  CHECK(std::count(text.begin(), text.end(), '\n') == 3);
  CHECK(text.back() == '\n');
  CHECK(text.find("0000000000000002") != std::string::npos);
}

TEST_CASE("access log: a brace in a line is not a format", "[observe][access]") {
  std::ostringstream out;
  auto logger = std::make_shared<spdlog::logger>(
      "test", std::make_shared<spdlog::sinks::ostream_sink_st>(out));
  logger->set_pattern("%v");
  AccessLog log(logger);
  Entry entry;
  entry.path = "/{}{0}%v%d{";
  log.write(entry);
  log.flush();
  CHECK(out.str().find("/{}{0}%v%d{") != std::string::npos);
}

TEST_CASE("access log: off, it writes nothing", "[observe][access]") {
  AccessLog log(nullptr);
  CHECK_FALSE(log.on());
  log.write({});
  log.flush();
}

TEST_CASE("access log: what is gathered is bounded", "[observe][access]") {
  std::ostringstream out;
  auto logger = std::make_shared<spdlog::logger>(
      "test", std::make_shared<spdlog::sinks::ostream_sink_st>(out));
  AccessLog log(logger);
  for (int i = 0; i < 10'000; ++i) {
    log.write({});
    REQUIRE(log.waiting() < AccessLog::kBatch);
  }
  CHECK(out.str().size() > 500'000);
}

TEST_CASE("access log: a connection's id is 16 hexadecimal digits", "[observe][access]") {
  const auto with_id = [](std::uint64_t id) {
    Entry entry;
    entry.conn_id = id;
    return line(entry);
  };
  CHECK(with_id(0).find(R"("conn_id":"0000000000000000")") != std::string::npos);
  CHECK(with_id(0xfeedULL << 40 | 1).find(R"("conn_id":"00feed0000000001")") != std::string::npos);
  CHECK(with_id(UINT64_MAX).find(R"("conn_id":"ffffffffffffffff")") != std::string::npos);
}

}  // namespace fairlead::observe
