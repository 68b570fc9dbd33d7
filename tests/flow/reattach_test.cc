// on_backend_loss = "reattach": a session goes on at another server, or ends with the right code.
// Nothing is sent twice, nothing is put together from two halves.

#include "tests/flow/reattach_rig.h"

namespace fairlead::test {

using namespace reattach;

TEST_CASE("reattach: between messages a lost server is replaced unnoticed", "[flow][reattach]") {
  const bool reset = GENERATE(false, true);
  Session session;
  session.client().text("one");
  session.first().text("hello");
  session.pump();
  CHECK(texts(session.first()) == "one|");
  if (reset) {
    session.first().reset();
  } else {
    session.first().close();
  }
  session.pump();
  REQUIRE(session.dialled() == 2);
  CHECK(session.last().received() ==
        session.first_head.substr(0, session.first_head.size() - 2) + kReattached + "1\r\n\r\n");
  session.client().text("two");
  session.pump();
  session.attach();
  session.client().text("three");
  session.last().text("here I am");
  session.pump();
  CHECK(texts(session.last()) == "two|three|");
  CHECK(texts(session.client()) == "hello|here I am|");
  end_well(session);
  CHECK(session.logged("reattached", "1"));
  CHECK(session.logged("reason", R"("client_closed")"));
  CHECK(session.logged("msgs_in", "3"));
  CHECK(session.logged("msgs_out", "2"));
  const std::string server = session.directory.path;
  CHECK(session.logged("server", "\"unix:" + server));
}

TEST_CASE("reattach: a message behind the 101 passes, again and again", "[flow][reattach]") {
  conf::Route settings = route();
  settings.websocket.ping_interval.reset();
  Session session(settings);
  for (int i = 1; i <= 3; ++i) {
    session.last().close();
    session.pump();
    REQUIRE(session.dialled() == static_cast<std::size_t>(i) + 1);
    CHECK(session.last().take().find(kReattached + std::to_string(i)) != std::string::npos);
    session.last().send(agree() + make({.opcode = 1, .payload = std::to_string(i)}));
    session.pump();
    session.flow.pass(11s);  // else the tries are counted together
  }
  CHECK(texts(session.client()) == "1|2|3|");
  end_well(session);
}

TEST_CASE("reattach: half a message of the client ends it with 1012", "[flow][reattach]") {
  const bool fragments = GENERATE(false, true);
  Session session;
  const std::string frame = make({.opcode = 1, .payload = "half a message", .masked = true});
  if (fragments) {
    session.client().send_frame({.opcode = 1, .payload = "half a ", .fin = false});
  } else {
    session.client().send(frame.substr(0, 9));
  }
  session.pump();
  session.first().close();
  session.check_end(1012, "not_reattached");
  CHECK(session.dialled() == 1);
  CHECK(session.logged("closed_by", R"("backend")"));
}

TEST_CASE("reattach: half a message of the server ends it", "[flow][reattach]") {
  Session session;
  SECTION("between fragments with 1012") {
    session.first().send_frame({.opcode = 1, .payload = "half a ", .fin = false});
    session.pump();
    session.first().close();
    session.check_end(1012, "not_reattached");
  }
  SECTION("within a frame without a Close") {
    session.first().send(make({.opcode = 1, .payload = "half a message"}).substr(0, 6));
    session.pump();
    session.first().close();
    session.pump();
    CHECK(parse_frames(session.client().received(), false).frames.empty());
    CHECK(session.client().end() == FarEnd::End::eof);
  }
  CHECK(session.dialled() == 1);
}

TEST_CASE("reattach: a frame header that had not come in full is no half message",
          "[flow][reattach]") {
  Session session;
  session.first().send(make({.opcode = 1, .payload = std::string(300, 'x')}).substr(0, 3));
  session.client().send(make({.opcode = 1, .payload = "later", .masked = true}).substr(0, 4));
  session.pump();
  session.first().close();
  session.pump();
  session.attach();
  session.client().send(make({.opcode = 1, .payload = "later", .masked = true}).substr(4));
  session.last().text("fresh");
  session.pump();
  CHECK(texts(session.last()) == "later|");
  CHECK(texts(session.client()) == "fresh|");
}

TEST_CASE("reattach: what a stalled server had not taken is not lost in silence",
          "[flow][reattach]") {
  Session session(route(), "", "", 4096);
  session.first().stop_reading(true);
  const std::string big(300'000, 'x');
  session.client().send_frame({.opcode = 2, .payload = big});
  session.client().text("behind it");
  session.pump();
  session.first().close();
  session.check_end(1012, "not_reattached");
}

TEST_CASE("reattach: a client that does not keep up gets all of both servers", "[flow][reattach]") {
  Session session(route(), "", "", 4096);
  session.client().stop_reading(true);
  const std::string big(50'000, 'x');
  session.first().send_frame({.opcode = 2, .payload = big});
  session.pump();
  session.first().close();
  session.client().stop_reading(false);
  session.pump();
  REQUIRE(session.dialled() == 2);
  session.attach();
  session.last().text("next");
  session.pump();
  CHECK(texts(session.client()) == big + "|next|");
}

TEST_CASE("reattach: what the client says while it is held is bounded", "[flow][reattach]") {
  Session session(route(), "", "", 4096);
  session.first().close();
  session.pump();
  REQUIRE(session.dialled() == 2);
  const std::string big(900'000, 'x');
  session.client().send_frame({.opcode = 2, .payload = big});
  session.client().text("behind it");
  session.pump();
  CHECK(session.client().unsent() > 700'000);
  session.attach();
  session.pump();
  CHECK(texts(session.last()) == big + "|behind it|");
}

TEST_CASE("reattach: pings go on while the client is held", "[flow][reattach]") {
  conf::Route settings = route();
  settings.websocket.ping_interval = 3s;
  Session session(settings);
  session.first().close();
  session.pump();
  session.flow.pass(4s);
  const auto seen = session.client().frames();
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].opcode == 9);
  session.client().send_frame({.opcode = 10, .payload = seen[0].payload});
  session.pump();
  session.attach();
  CHECK(session.last().frames().empty());  // the Pong was ours
  session.client().text("on");
  session.pump();
  CHECK(texts(session.last()) == "on|");
}

TEST_CASE("reattach: a client that goes while it is held ends the session", "[flow][reattach]") {
  Session session;
  session.first().close();
  session.pump();
  REQUIRE(session.dialled() == 2);
  SECTION("with a Close, which is answered") {
    session.client().close_frame(1000, "bye");
    session.pump();
    CHECK(session.client().close_code() == 1000);
    session.client().half_close();
    session.pump();
    CHECK_FALSE(session.flow.alive());
    CHECK(session.logged("reason", R"("client_closed")"));
  }
  SECTION("without one") {
    session.client().close();
    session.pump();
    CHECK_FALSE(session.flow.alive());
    CHECK(session.logged("reason", R"("client_gone")"));
  }
  CHECK(session.last().end() != FarEnd::End::open);
}

TEST_CASE("reattach: a message in front of the client's Close reaches the new server",
          "[flow][reattach]") {
  Session session;
  session.first().close();
  session.pump();
  session.client().text("the last");
  session.client().close_frame(1000);
  session.pump();
  session.attach();
  CHECK(texts(session.last()) == "the last|");
  CHECK(session.last().close_code() == 1000);
  session.last().close_frame(1000);
  session.last().half_close();
  session.client().half_close();
  session.pump();
  CHECK(session.client().close_code() == 1000);
  CHECK_FALSE(session.flow.alive());
}

TEST_CASE("reattach: at the deadline it ends as if nothing had been tried", "[flow][reattach]") {
  Session session;
  session.first().close();
  session.pump();
  for (int i = 0; i < 12; ++i) {
    session.flow.pass(1s);
    session.pump();
  }
  CHECK(session.dialled() == 4);  // each that did not answer had its share of the time
  session.check_end(1011, "backend_gone");
}

TEST_CASE("reattach: so many handshakes are tried and no more", "[flow][reattach]") {
  conf::Route settings = route();
  settings.reattach.attempts = 2;
  Session session(settings);
  session.first().close();
  session.pump();
  SECTION("an answer that is no 101, and no answer") {
    session.last().send("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
    session.pump();
    REQUIRE(session.dialled() == 3);
    session.last().close();
    session.check_end(1011, "backend_gone");
  }
  SECTION("servers that agree and die") {
    session.attach();
    session.last().close();
    session.pump();
    REQUIRE(session.dialled() == 3);
    session.attach();
    session.last().close();
    session.check_end(1011, "backend_gone");
    CHECK(session.logged("reattached", "2"));
  }
  CHECK(session.dialled() == 3);
}

TEST_CASE("reattach: another subprotocol or other extensions end it with 1012",
          "[flow][reattach]") {
  const char* offer =
      GENERATE("Sec-WebSocket-Protocol: v1, v2", "Sec-WebSocket-Extensions: permessage-deflate");
  const bool protocol = std::string(offer).find("Protocol") != std::string::npos;
  Session session(route(), offer, protocol ? "Sec-WebSocket-Protocol: v1" : kForgetful);
  session.first().close();
  session.pump();
  REQUIRE(session.dialled() == 2);
  session.last().send(agree(protocol ? "Sec-WebSocket-Protocol: v2" : ""));
  session.check_end(1012, "not_reattached");
  CHECK(session.last().end() != FarEnd::End::open);
}

TEST_CASE("reattach: compression that looks back cannot go on elsewhere", "[flow][reattach]") {
  const bool forgetful = GENERATE(false, true);
  Session session(route(), kDeflate, forgetful ? kForgetful : kDeflate);
  session.first().close();
  session.pump();
  if (!forgetful) return session.check_end(1012, "not_reattached");
  REQUIRE(session.dialled() == 2);
  session.attach();
  session.client().send_frame({.opcode = 1, .payload = "zip", .rsv = 4});
  session.pump();
  CHECK(session.last().received().size() > 3);
}

TEST_CASE("reattach: without the key nothing is held", "[flow][reattach]") {
  Session session(conf::Route{});
  session.first().close();
  session.check_end(1011, "backend_gone");
}

TEST_CASE("reattach: a dead server, and the process's end while the client is held",
          "[flow][reattach]") {
  conf::Route settings = route();
  settings.websocket.ping_interval = 1s;
  settings.websocket.ping_timeout = 1s;
  Session session(settings);
  edge::Tunnel* tunnel = nullptr;
  session.flow.links.for_each([&](edge::Link& link) { tunnel = link.session(); });
  session.first().stop_reading(true);
  for (int i = 0; i < 4; ++i) {
    session.flow.pass(800ms);
    for (const Seen& seen : session.client().frames())
      if (seen.opcode == 9) session.client().send_frame({.opcode = 10, .payload = seen.payload});
    session.client().take();
    session.pump();
  }
  REQUIRE(session.dialled() == 2);
  tunnel->drain(session.flow.loop.now() + 5s);
  session.check_end(1001, "stopping");
}

}  // namespace fairlead::test
