// Connects that fail for want of something: which are tried elsewhere, and who is blamed. This
// binary's connect() fails when a test says so.

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "tests/support/catch.h"
#include "tests/support/http_rig.h"

namespace {

std::string failing_path;  // of a unix socket; "" for none
int failing_error = 0;

}  // namespace

extern "C" int connect(int fd, const sockaddr* address, socklen_t size) {
  if (!failing_path.empty() && address->sa_family == AF_UNIX &&
      failing_path == reinterpret_cast<const sockaddr_un*>(address)->sun_path) {
    errno = failing_error;
    return -1;
  }
  return static_cast<int>(syscall(SYS_connect, fd, address, size));
}

namespace fairlead::test {
namespace {

const std::string kGet = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

// A connect that fails at once is told with the next tick.
constexpr std::chrono::milliseconds kTick{20};

// While it lives, connects to that path fail.
struct Failing {
  Failing(const std::string& path, int error) {
    failing_path = path;
    failing_error = error;
  }

  ~Failing() { failing_path.clear(); }
};

conf::Address& address_of(conf::Config& config, std::size_t server) {
  return config.backends[0].servers[server].address;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

struct Row {
  int error;
  const char* answer;
  bool next;     // another server is tried
  bool ejected;  // this one is avoided from now on
};

Row any_row() {
  return GENERATE(values<Row>({
      {EADDRNOTAVAIL, "503 Service Unavailable: out_of_ports", true, false},
      {EADDRINUSE, "503 Service Unavailable: out_of_ports", true, false},
      {EMFILE, "503 Service Unavailable: out_of_file_descriptors", false, false},
      {ENFILE, "503 Service Unavailable: out_of_file_descriptors", false, false},
      {ENOBUFS, "503 Service Unavailable: out_of_memory", false, false},
      {ENOMEM, "503 Service Unavailable: out_of_memory", false, false},
      {EAGAIN, "502 Bad Gateway: backend_unreachable", true, false},
      {ECONNREFUSED, "502 Bad Gateway: backend_unreachable", true, true},
      {ENETUNREACH, "502 Bad Gateway: backend_unreachable", true, true},
      {EACCES, "502 Bad Gateway: backend_unreachable", true, true},
      {EPERM, "502 Bad Gateway: backend_unreachable", true, true},
  }));
}

}  // namespace

TEST_CASE("dial: what is wanting names itself, and whose fault it is", "[flow][dial]") {
  const Row row = any_row();
  CAPTURE(row.error);
  HttpFlow flow;
  const auto runtime = flow.home.runtime;
  const Failing failing(runtime->config().backends[0].servers[0].address.host, row.error);
  const std::string answer = flow.ask(kGet).pass(kTick).got();
  CHECK(has(answer, row.answer));
  CHECK(has(answer, "Retry-After: ") == (row.answer[2] == '3'));
  balance::Pool& pool = *runtime->routes()[0].pool;
  CHECK(has(flow.log.str(), "\"server\":\"" + pool.server(0).name + "\""));
  CHECK((pool.trusts(0, flow.loop.now()) == 0) == row.ejected);
}

TEST_CASE("dial: another server is tried where one may do", "[flow][dial]") {
  const Row row = any_row();
  CAPTURE(row.error);
  HttpFlow flow;
  flow.reload([](conf::Config& config) {
    auto& servers = config.backends[0].servers;
    servers.push_back(servers[0]);
    address_of(config, 1).host += "2";
  });
  const auto runtime = flow.home.runtime;
  const Failing failing(runtime->config().backends[0].servers[1].address.host, row.error);
  std::vector<std::unique_ptr<FarEnd>> clients;
  std::size_t refused = 0;
  // The one that fails has the fewest requests: at the latest the second goes there.
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::exchange(flow.client, flow.connect()));
    refused += has(flow.ask(kGet).pass(kTick).got(), "HTTP/1.1 503 ") ? 1 : 0;
  }
  CHECK(flow.servers.size() + refused == 3);
  CHECK((refused == 0) == row.next);
}

}  // namespace fairlead::test
