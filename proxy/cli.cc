#include "proxy/cli.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <iostream>

#include "conf/load.h"
#include "proxy/demo/site.h"
#include "proxy/edge/preflight.h"
#include "proxy/edge/privileges.h"
#include "proxy/edge/server.h"
#include "proxy/observe/log.h"
#include "proxy/observe/log_writer.h"
#include "tls/digest.h"
#include "tls/self_signed.h"

namespace fairlead::cli {
namespace {

constexpr int kFailed = 1;
constexpr int kForced = 3;
// What the logs' readers have left to take at the end.
constexpr std::chrono::milliseconds kLastLines{800};
constexpr std::chrono::milliseconds kLastLinesForced{300};

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '$') out += '$';  // "$$" is a literal one
    out += c;
  }
  return out + "\"";
}

std::string quoted_list(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) out += (out.empty() ? "" : ", ") + quoted(item);
  return "[" + out + "]";
}

// "3000" and ":3000" are this machine's port.
std::string full_address(const std::string& address) {
  bool digits = !address.empty() && address.find_first_not_of("0123456789") == std::string::npos;
  if (digits) return "127.0.0.1:" + address;
  if (address.size() > 1 && address[0] == ':') return "127.0.0.1" + address;
  return address;
}

// To stderr, by a process that ends: nobody who does not read it holds the end up.
void say_last(std::string text) {
  observe::LogWriter writer(observe::LogTarget::standard(STDERR_FILENO), text.size());
  writer.push(std::move(text));
  writer.close(kLastLines);
}

// Prints problems; true when there are none.
bool report(const conf::LoadResult& loaded) {
  for (const conf::Problem& problem : loaded.problems) std::cerr << problem.text() << "\n";
  return loaded.problems.empty();
}

int fail(const std::string& why, edge::Inheritance* inheritance = nullptr) {
  if (inheritance != nullptr) inheritance->failed(why);
  say_last("fairlead: cannot start: " + why + "\n");
  return kFailed;
}

// As report(), to the process whose place this one was to take too.
bool report(const conf::LoadResult& loaded, edge::Inheritance& inheritance) {
  std::string all;
  for (const conf::Problem& problem : loaded.problems) all += problem.text() + "\n";
  if (all.empty()) return true;
  inheritance.failed(all);
  say_last(std::move(all));
  return false;
}

template <class Started>
int serve(conf::LoadResult loaded, std::shared_ptr<const tls::ServerContext> demo_tls,
          Started started, edge::Server::Load load = nullptr,
          edge::Inheritance* inheritance = nullptr) {
  conf::Config& config = *loaded.config;
  std::string problem = observe::open_logs(config.log, edge::log_owner(config.server.user));
  if (!problem.empty()) return fail(problem, inheritance);
  for (const std::string& warning : loaded.warnings) observe::log_warn("{}", warning);
  int code = kFailed;
  edge::Runtime::Made made =
      edge::Runtime::make(std::move(config), std::move(demo_tls), nullptr, {},
                          inheritance != nullptr ? inheritance->heirloom() : nullptr);
  problem = made.error;
  if (problem.empty()) {
    edge::Server server(std::move(made.runtime), std::move(load), inheritance);
    problem = server.start();
    if (problem.empty()) {
      started(server);
      code = server.run();
    }
  }
  observe::close_logs(code == kForced ? kLastLinesForced : kLastLines);
  return problem.empty() ? code : fail(problem, inheritance);
}

int serve(conf::LoadResult loaded, edge::Inheritance& inheritance,
          edge::Server::Load load = nullptr) {
  return serve(
      std::move(loaded), nullptr, [](edge::Server&) {}, std::move(load), &inheritance);
}

conf::LoadResult load(const std::string& file, edge::Purpose purpose) {
  return edge::preflight(conf::load_file(file), purpose);
}

// 128 bits, in hexadecimal.
std::string random_token() {
  std::array<unsigned char, 16> bytes{};
  tls::random_bytes({reinterpret_cast<char*>(bytes.data()), bytes.size()});
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

std::string demo_config(const std::string& listen, const demo::Site& site) {
  return fmt::format(R"([log]
access = "off"
[[listener]]
address = {}
tls = {{ certificates = [{{ cert = "/dev/null", key = "/dev/null" }}] }}
[[route]]
name = "echo"
path = "/echo"
kind = "websocket"
backend = "echo"
[[route]]
name = "chat"
backend = "chat"
[route.limits]
messages = {{ rate = "50/s", burst = 200 }}
[[backend]]
name = "echo"
servers = [{}]
[[backend]]
name = "chat"
servers = [{}]
)",
                     quoted(listen), quoted(site.echo().text()), quoted(site.chat().text()));
}

void introduce_demo(const edge::Server& server, const std::string& token) {
  std::string url = "https://" + server.listeners().front().name;
  std::string wss = "wss" + url.substr(5);
  // What stands behind "#" stays in the browser; the page takes the token from there.
  std::string dashboard = "http://" + server.admin_address()->text() + "/#token=" + token;
  std::cout << fmt::format(R"(Fairlead demo: one TLS listener, two WebSocket backends behind it.

  Open   {0}/
         The certificate was made for this run: let the browser accept it.
  Look   {2}
         The dashboard: sessions, servers, what was refused. This link may also drain and close.
  Try    two windows of that page: a chat room behind the proxy
         {1}/echo   returns what you send
         curl -ki {0}/
         curl -ki -H "Origin: https://evil.example" -H "Connection: Upgrade" -H "Upgrade: websocket" \
              -H "Sec-WebSocket-Version: 13" -H "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==" {0}/chat
         (a foreign page's handshake: 403 before any backend is asked)
  End    Ctrl-C: every open session gets a Close 1001, none is cut off.

)",
                           url, wss, dashboard)
            << std::flush;
}

}  // namespace

int run(const std::string& file, net::Program self) {
  edge::Inheritance inheritance = edge::Inheritance::take(std::move(self));
  conf::LoadResult loaded = load(file, edge::Purpose::start);
  if (!report(loaded, inheritance)) return kFailed;
  return serve(std::move(loaded), inheritance,
               [file] { return load(file, edge::Purpose::reload); });
}

int check(const std::string& file) {
  const conf::LoadResult loaded = load(file, edge::Purpose::start);
  if (!report(loaded)) return kFailed;
  for (const std::string& warning : loaded.warnings) std::cerr << "warning: " << warning << "\n";
  for (const std::string& hint : loaded.hints) std::cerr << "hint: " << hint << "\n";
  std::cout << file << ": configuration OK\n";
  return 0;
}

int demo(const std::string& listen) {
  std::string error;
  auto site = demo::Site::start(error);
  if (!site) return fail(error);
  tls::SelfSigned made = tls::make_self_signed();
  if (!made.error.empty()) return fail(made.error);
  auto context =
      tls::ServerContext::from_pem(made.certificate, made.key, conf::ListenerTls::Version::tls12);
  if (!context.context) return fail(context.error);
  conf::LoadResult loaded =
      conf::load_text(demo_config(full_address(listen), *site), "demo",
                      [](std::string_view) { return std::optional<std::string>(); });
  if (!report(loaded)) return kFailed;
  loaded.config->admin.listen = conf::Address::parse("127.0.0.1:0");
  const std::string token = random_token();
  loaded.config->admin.token = token;
  return serve(std::move(loaded), context.context,
               [token](const edge::Server& server) { introduce_demo(server, token); });
}

std::string proxy_config(const ProxyOptions& options) {
  std::vector<std::string> servers;
  for (const std::string& server : options.to) servers.push_back(full_address(server));
  std::string listen = options.listen.empty()
                           ? (options.cert.empty() ? "127.0.0.1:8080" : "127.0.0.1:8443")
                           : full_address(options.listen);
  std::string out = "[[listener]]\naddress = " + quoted(listen) + "\n";
  if (!options.cert.empty()) {
    out += "[listener.tls]\ncertificates = [{ cert = " + quoted(options.cert) +
           ", key = " + quoted(options.key) + " }]\n";
  }
  out += "\n[[route]]\nbackend = \"app\"\n";
  if (!options.origins.empty()) out += "origins = " + quoted_list(options.origins) + "\n";
  return out + "\n[[backend]]\nname = \"app\"\nservers = " + quoted_list(servers) + "\n";
}

int proxy(const ProxyOptions& options, net::Program self) {
  std::string text = proxy_config(options);
  if (options.print_config) {
    std::cout << text;
    return 0;
  }
  edge::Inheritance inheritance = edge::Inheritance::take(std::move(self));
  conf::LoadResult loaded = edge::preflight(
      conf::load_text(text, "command line",
                      [](std::string_view) { return std::optional<std::string>(); }),
      edge::Purpose::start);
  if (!report(loaded, inheritance)) return kFailed;
  return serve(std::move(loaded), inheritance);
}

}  // namespace fairlead::cli
