// What a client's connection begins with: PROXY headers, TLS, or nothing at all.

#include <fstream>

#include "tests/support/catch.h"
#include "tests/support/http_rig.h"
#include "tls/self_signed.h"

namespace fairlead::test {
namespace {

using namespace std::string_literals;

const std::string kGet = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

// The flow's clients come from 192.0.2.7.
void expect_proxy(conf::Config& config, const char* trusted) {
  config.listeners[0].proxy_protocol = true;
  config.listeners[0].trusted_proxies = {*conf::Cidr::parse(trusted)};
}

void expect_tls(conf::Config& config, const std::string& folder) {
  const tls::SelfSigned made = tls::make_self_signed();
  std::ofstream(folder + "/both.pem") << made.key << made.certificate;
  config.listeners[0].tls.emplace().certificates = {{folder + "/both.pem", folder + "/both.pem"}};
}

// PROXY over IPv4 with PP2_TYPE_SSL.
std::string ssl_header(int client) {
  return "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x14"s +
         "\xc0\x00\x02\x01\xc6\x33\x64\x02\x12\x34\x01\xbb\x20\0\x05"s + static_cast<char>(client) +
         "\0\0\0\0"s;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("arrival: a connection that never said a byte leaves no line", "[flow][arrival]") {
  struct Row {
    const char* what;
    bool tls;
    const char* trusted;  // null: no PROXY header
    const char* byte;     // the first one
    const char* closed;   // the reasons logged when it came and the client went
    const char* waited;   // ... and nothing more came
  };

  const auto row = GENERATE(values<Row>({
      {"plain", false, nullptr, "G", "client_left ", "head_timeout "},
      {"TLS", true, nullptr, "\x16", "tls_handshake_failed ", "tls_handshake_timeout "},
      {"PROXY", false, "192.0.2.0/24", "P", "bad_proxy_header ", "bad_proxy_header "},
      {"PROXY, not trusted", false, "10.0.0.0/8", "P", "untrusted_proxy ", "untrusted_proxy "},
      {"PROXY, then TLS", true, "192.0.2.0/24", "P", "bad_proxy_header ", "bad_proxy_header "},
  }));
  CAPTURE(row.what);
  TempDirectory folder;
  HttpFlow flow;
  flow.client->close();
  flow.pump();
  REQUIRE_FALSE(flow.alive());
  flow.reload([&](conf::Config& config) {
    if (row.trusted != nullptr) expect_proxy(config, row.trusted);
    if (row.tls) expect_tls(config, folder.path);
  });
  const bool says = GENERATE(false, true);
  const bool waits = GENERATE(false, true);
  flow.client = flow.connect();
  flow.pump();
  if (says) flow.ask(row.byte);
  if (waits) {
    flow.pass(10'100ms);
  } else {
    flow.client->close();
    flow.pump();
  }
  if (flow.alive()) flow.pass(3'000ms);  // the answer to a plain head was read
  CHECK_FALSE(flow.alive());
  CHECK(flow.reasons() == (says ? waits ? row.waited : row.closed : ""));
}

TEST_CASE("arrival: behind a PROXY header a TLS port that hears nothing leaves no line",
          "[flow][arrival]") {
  TempDirectory folder;
  HttpFlow flow;
  flow.reload([&](conf::Config& config) {
    expect_proxy(config, "192.0.2.0/24");
    expect_tls(config, folder.path);
  });
  flow.client = flow.connect();
  flow.ask("PROXY UNKNOWN\r\n");
  flow.client->close();
  flow.pump();
  CHECK(flow.reasons() == "");
}

TEST_CASE("arrival: a PROXY header that says TLS says https", "[flow][arrival]") {
  conf::Route route;
  HttpFlow flow(route);
  flow.reload([](conf::Config& config) {
    expect_proxy(config, "192.0.2.0/24");
    config.backends[0].sticky.emplace();
  });
  const bool tls = GENERATE(false, true);
  flow.client = flow.connect();
  flow.ask(ssl_header(tls ? 1 : 0) + kGet);
  const std::string asked = flow.asked();
  CHECK(has(asked, tls ? "X-Forwarded-Proto: https\r\n" : "X-Forwarded-Proto: http\r\n"));
  CHECK(has(asked, "X-Forwarded-Port: 443\r\n"));
  const std::string answer = flow.reply("HTTP/1.1 204 No Content\r\n\r\n").got();
  REQUIRE(has(answer, "Set-Cookie: fairlead="));
  CHECK(has(answer, "; Secure") == tls);
}

TEST_CASE("arrival: a PROXY header cut at every byte, with a request behind it",
          "[flow][arrival][split]") {
  const std::string all = ssl_header(1) + kGet;
  const std::size_t cut = GENERATE_COPY(range(std::size_t{1}, all.size()));
  HttpFlow flow;
  flow.reload([](conf::Config& config) { expect_proxy(config, "192.0.2.0/24"); });
  flow.client = flow.connect();
  flow.ask(all.substr(0, cut));
  flow.ask(all.substr(cut));
  CHECK(has(flow.asked(), "X-Forwarded-Proto: https\r\n"));
}

}  // namespace fairlead::test
