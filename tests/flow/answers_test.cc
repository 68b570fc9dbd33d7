// What servers answer: what a proxy may mend passes, written anew; what leaves in doubt where a
// message ends does not. And what the log says of it.

#include "tests/support/catch.h"
#include "tests/support/http_rig.h"

namespace fairlead::test {
namespace {

using namespace std::string_literals;

const std::string kGet = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

int status(const std::string& answer) {
  return answer.size() < 12 ? 0 : std::stoi(answer.substr(9, 3));
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

std::string body_of(const std::string& message) {
  const std::size_t end = message.find("\r\n\r\n");
  return end == message.npos ? "" : message.substr(end + 4);
}

// The last line of the log.
std::string last_line(const HttpFlow& flow) {
  std::string text = flow.log.str();
  while (text.ends_with('\n')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace

TEST_CASE("answers: what can be mended passes, written anew", "[flow][answers]") {
  struct Row {
    const char* why;
    std::string answer;
    int status;
    std::string body;
    bool reused;  // the server's connection, afterwards
  };

  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  const auto row = GENERATE_COPY(values<Row>({
      {"plain", kOk, 200, "ok", true},
      {"204 with a length", "HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", 204, "", false},
      {"204 with chunks", "HTTP/1.1 204 No\r\n" + chunked + "\r\n0\r\n\r\n", 204, "", false},
      {"204 with a length of 0", "HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n", 204, "", true},
      {"304 with a coding", "HTTP/1.1 304 No\r\n" + chunked + "\r\n", 304, "", false},
      {"304 with a length", "HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n", 304, "", true},
      {"a blank before a colon", "HTTP/1.1 200 OK\r\nX-A : 1\r\nContent-Length: 2\r\n\r\nok", 200,
       "ok", true},
      {"blanks behind chunk sizes", "HTTP/1.1 200 OK\r\n" + chunked + "\r\n2  \r\nok\r\n0 \r\n\r\n",
       200, "2\r\nok\r\n0\r\n\r\n", true},
      {"equal lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", 200,
       "ok", true},
      {"bare LF", "HTTP/1.1 200 OK\nX-A: 1\nContent-Length: 2\n\nok", 200, "ok", true},
      {"controls", "HTTP/1.1 200 O\x01K\r\nX-A: \x1b[2J\r\nContent-Length: 2\r\n\r\nok", 200, "ok",
       true},
      {"chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\n" + chunked + "\r\n2\r\nok\r\n0\r\n\r\n", 200,
       "2\r\nok\r\n0\r\n\r\n", false},
      {"600", "HTTP/1.1 600 Odd\r\nContent-Length: 2\r\n\r\nok", 600, "ok", true},
      {"999", "HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nok", 999, "ok", true},
      {"HTTP/1.2", "HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", true},
      {"a length in disguise",
       "HTTP/1.1 200 OK\r\nContent_Length: 9\r\nContent-Length: 2\r\n\r\nok", 200, "ok", true},
  }));
  CAPTURE(row.why);
  for (std::size_t at : {row.answer.size(), row.answer.size() / 2, std::size_t{1}}) {
    HttpFlow flow;
    flow.ask(kGet).reply(row.answer.substr(0, at)).reply(row.answer.substr(at));
    const std::string got = flow.got();
    CHECK(status(got) == row.status);
    CHECK(body_of(got) == row.body);
    // Each line ends in CRLF, no control is left, no name in disguise, one length at most.
    for (std::size_t i = 0; i < got.size(); ++i) {
      CHECK((got[i] != '\n' || (i > 0 && got[i - 1] == '\r')));
      CHECK((static_cast<unsigned char>(got[i]) >= 0x20 || got[i] == '\r' || got[i] == '\n'));
    }
    CHECK_FALSE(has(got, "Content_Length"));
    CHECK(got.find("Content-Length") == got.rfind("Content-Length"));
    CHECK(flow.idle.size() == (row.reused ? 1 : 0));
    CHECK(flow.reasons() == "done ");
  }
}

TEST_CASE("answers: what can be read in two ways is none, and the log says why",
          "[flow][answers][smuggling]") {
  struct Row {
    std::string answer;
    const char* detail;
  };

  const std::string line = "HTTP/1.1 200 OK\r\n";
  const std::string length = "Content-Length: 2\r\n";
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  const auto row = GENERATE_COPY(values<Row>({
      {line + length + chunked + "\r\n0\r\n\r\n", "it has Content-Length and Transfer-Encoding"},
      {"HTTP/1.1 204 No\r\n" + length + chunked + "\r\n",
       "it has Content-Length and Transfer-Encoding"},
      {line + length + "Content-Length: 3\r\n\r\nok", "it has two different Content-Lengths"},
      {line + "Content-Length: 2, 2\r\n\r\nok", "its Content-Length is not a number"},
      {line + chunked + chunked + "\r\n0\r\n\r\n", "it has two Transfer-Encodings"},
      {line + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
       "its transfer coding is not chunked"},
      {line + "Content-Length : 2\r\n\r\nok", "a blank before the colon of its framing"},
      {line + "X: a\r\n b\r\n\r\n", "a bare CR, a NUL or a folded line in its head"},
      {line + "X: a\rb\r\n\r\n", "a bare CR, a NUL or a folded line in its head"},
      {line + "X: a\0b\r\n\r\n"s, "a bare CR, a NUL or a folded line in its head"},
      {line + "X\r\n\r\n", "a line of its head has no colon"},
      {line + "X A: 1\r\n\r\n", "the name of a field is not valid"},
      {"HTTP/1.1 1000 Odd\r\n\r\n", "its status is not 100 to 999"},
      {"HTTP/1.1 099 Odd\r\n\r\n", "its status is not 100 to 999"},
      {"SSH-2.0-OpenSSH\r\n\r\n", "it does not begin with HTTP/1.1"},
      {"HTTP/2.0 200 OK\r\n\r\n", "its HTTP version is not 1.x"},
      {line + chunked + "\r\n+2\r\nok\r\n", "its chunked coding is not valid"},
      {line + chunked + "\r\n 2\r\nok\r\n", "its chunked coding is not valid"},
      {line + chunked + "\r\n2\nok\n0\n\n", "its chunked coding is not valid"},
      {"HTTP/1.1 101 S\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
       "a 101 that nobody asked for"},
      {line + "X: " + std::string(17'000, 'x') + "\r\n\r\n", "its head is too large"},
  }));
  CAPTURE(row.detail);
  HttpFlow flow;
  flow.ask(kGet).reply(row.answer + kOk);
  CHECK(status(flow.got()) == 502);
  CHECK(flow.idle.size() == 0);
  CHECK(flow.reasons() == "backend_bad_answer ");
  CHECK(has(last_line(flow), "\"detail\":\""s + row.detail + "\""));
  const auto condition = flow.home.runtime->pools()[0]->condition(0, flow.loop.now());
  CHECK(condition.last_error == row.detail);
}

TEST_CASE("answers: an interim answer has no body, whatever it says", "[flow][answers]") {
  HttpFlow flow;
  flow.ask(kGet).reply("HTTP/1.1 103 Early\r\nContent-Length: 5\r\nLink: </a>\r\n\r\n" + kOk);
  const std::string got = flow.got();
  CHECK(status(got) == 103);
  CHECK_FALSE(has(got.substr(0, got.find("\r\n\r\n")), "Content-Length"));
  CHECK(has(got, "\r\n\r\nok"));
  CHECK(flow.idle.size() == 0);
}

TEST_CASE("answers: a connection that ends instead of an answer is told", "[flow][answers]") {
  HttpFlow flow;
  flow.ask(kGet);
  flow.server(0).close();
  CHECK(status(flow.pump().got()) == 502);
  CHECK(has(last_line(flow),
            "\"reason\":\"backend_unreachable\",\"detail\":\"it ended the connection"));
}

TEST_CASE("answers: status and reason of a line tell what the client got", "[flow][answers]") {
  struct Row {
    const char* how;
    int status;  // 0: none in the line
    const char* reason;
  };

  const auto row = GENERATE(values<Row>({
      {"leaves before the answer", 499, "client_left"},
      {"leaves behind an interim answer", 499, "client_left"},
      {"leaves within the answer", 200, "client_left"},
      {"resets within the answer", 200, "client_left"},
      {"takes nothing of the answer", 200, "slow_client"},
      {"sends a bad chunk behind the answer's head", 200, "malformed_request"},
      {"server ends within the answer", 200, "backend_gone"},
      {"server sends a bad chunk", 200, "backend_bad_answer"},
      {"server ends before the answer", 502, "backend_unreachable"},
      {"server says nothing", 504, "backend_answer_timeout"},
      {"body does not come", 408, "body_timeout"},
      {"forced end before the answer", 0, "forced_stop"},
      {"forced end within the answer", 200, "forced_stop"},
      {"all is well", 200, "done"},
  }));
  const std::string_view how = row.how;
  CAPTURE(how);
  HttpFlow flow({}, {}, 4096);
  const bool body = how.find("chunk behind") != how.npos || how == "body does not come";
  flow.ask(body ? "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" : kGet);
  const std::string part = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n";
  if (how.find("interim") != how.npos) flow.reply("HTTP/1.1 103 Early\r\n\r\n");
  if (how == "takes nothing of the answer") flow.client->stop_reading(true);
  if (row.status == 200) flow.reply(part);
  if (how.starts_with("leaves")) flow.client->reset();
  if (how.starts_with("resets")) flow.client->reset();
  if (how == "takes nothing of the answer")
    flow.reply("186a0\r\n" + std::string(100'000, 'x') + "\r\n").walk(34s);
  if (how.starts_with("sends a bad")) flow.ask("x\r\n");
  if (how.starts_with("server ends")) flow.server(0).close();
  if (how.starts_with("server sends")) flow.reply("x\r\n");
  if (how == "server says nothing") flow.pass(61s);
  if (how == "body does not come") flow.pass(31s);
  if (how.starts_with("forced")) flow.links.for_each([](edge::Link& link) { link.force_end(); });
  if (how == "all is well") flow.reply("0\r\n\r\n");
  flow.pump();
  CHECK(flow.reasons() == row.reason + " "s);
  const std::string line = last_line(flow);
  CHECK(has(line, "\"status\":" + std::to_string(row.status)) == (row.status != 0));
  CHECK(has(line, "\"status\":") == (row.status != 0));
}

}  // namespace fairlead::test
