#include "proxy/edge/heirloom.h"

#include "conf/load.h"
#include "proxy/edge/handover.h"
#include "proxy/edge/predecessor.h"
#include "proxy/edge/runtime.h"
#include "tests/support/catch.h"

using namespace fairlead;
using namespace fairlead::edge;
using balance::AdminState;

namespace {

conf::Config config(const std::string& backend = "") {
  auto loaded = conf::load_text(
      "[[listener]]\naddress = \"127.0.0.1:0\"\n[[route]]\nbackend = \"b\"\n[[backend]]\nname = "
      "\"b\"\nservers = [\"10.0.0.1:80\", { address = \"10.0.0.2:80\", weight = 3 }]\n" +
          backend,
      "f", [](std::string_view) { return std::optional<std::string>(); });
  for (const auto& problem : loaded.problems) UNSCOPED_INFO(problem.text());
  REQUIRE(loaded.config);
  return *loaded.config;
}

std::shared_ptr<Runtime> runtime(const std::string& backend = "",
                                 const Heirloom* heirloom = nullptr) {
  Runtime::Made made = Runtime::make(config(backend), nullptr, nullptr, {}, heirloom);
  REQUIRE(made.error == "");
  if (heirloom != nullptr) Heirloom(*heirloom).bequeath(*made.runtime);
  return made.runtime;
}

}  // namespace

TEST_CASE("heirloom: what was set and made goes over", "[edge][heirloom]") {
  const std::string backend = "sticky = {}\nhealth = { type = \"tcp\" }\n";
  const auto old = runtime(backend);
  balance::Pool& pool = *old->pools()[0];
  pool.server(0).admin = AdminState::down;
  pool.server(1).weight = 9;
  pool.set_up(1, false);
  const auto parsed = Heirloom::parse(Heirloom::of(*old).text());
  REQUIRE(parsed);
  CHECK(parsed->addresses() == std::vector<std::string>{"127.0.0.1:0"});
  const auto young = runtime(backend, &*parsed);
  const balance::Pool& next = *young->pools()[0];
  CHECK(next.server(0).admin == AdminState::down);
  CHECK(next.server(0).weight == 1);
  CHECK(next.server(1).weight == 9);
  CHECK(next.server(0).up);
  CHECK_FALSE(next.server(1).up);
  CHECK(next.sticky()->set_cookie(1, false) == pool.sticky()->set_cookie(1, false));
  // And once more: a made secret stays one.
  CHECK(Heirloom::of(*young).secret("b") == Heirloom::of(*old).secret("b"));
}

TEST_CASE("heirloom: what the file says anew counts, and without checks nothing is down",
          "[edge][heirloom]") {
  const auto old = runtime("health = { type = \"tcp\" }\n");
  old->pools()[0]->server(1).weight = 9;
  old->pools()[0]->server(1).configured_weight = 2;  // another one then
  old->pools()[0]->set_up(0, false);
  const Heirloom heirloom = Heirloom::of(*old);
  const auto young = runtime("", &heirloom);
  CHECK(young->pools()[0]->server(1).weight == 3);
  CHECK(young->pools()[0]->server(0).up);
}

TEST_CASE("heirloom: what was drained stays so, and each thing is given once", "[edge][heirloom]") {
  const auto old = runtime();
  old->pools()[0]->server(0).admin = AdminState::drain;
  old->listeners()[0].gate->closed = true;
  old->routes()[0].gate->closed = true;
  auto heirloom = Heirloom::parse(Heirloom::of(*old).text());
  REQUIRE(heirloom);
  for (const bool first : {true, false}) {
    CAPTURE(first);
    const auto young = runtime();
    heirloom->bequeath(*young);
    CHECK((young->pools()[0]->server(0).admin == AdminState::drain) == first);
    CHECK(young->listeners()[0].gate->closed == first);
    CHECK(young->routes()[0].gate->closed == first);
  }
}

TEST_CASE("heirloom: what a name stands for only later gets its part then", "[edge][heirloom]") {
  auto loaded = conf::load_text(
      "[[listener]]\naddress = \"127.0.0.1:0\"\n[[route]]\nbackend = \"b\"\n[[backend]]\nname = "
      "\"b\"\nservers = [\"app.example:80\"]\nhealth = { type = \"tcp\" }\nsticky = {}\n",
      "f", [](std::string_view) { return std::optional<std::string>(); });
  REQUIRE(loaded.config);
  const balance::Endpoints known = balance::from_hosts({*conf::Ip::parse("10.0.0.9")});
  const auto names = [&](const conf::Address&) { return &known; };
  const auto old = Runtime::make(*loaded.config, nullptr, nullptr, names).runtime;
  REQUIRE(old->pools()[0]->size() == 1);
  old->pools()[0]->server(0).admin = AdminState::drain;
  old->pools()[0]->server(0).weight = 7;
  old->pools()[0]->set_up(0, false);
  Heirloom heirloom = Heirloom::of(*old);
  const auto young = Runtime::make(*loaded.config, nullptr, nullptr, {}, &heirloom).runtime;
  REQUIRE(young->pools()[0]->size() == 0);
  heirloom.bequeath(*young);
  const auto later = Runtime::renewed(*young, names);
  REQUIRE(later);
  heirloom.bequeath(*later);
  const balance::Pool& pool = *later->pools()[0];
  CHECK(pool.server(0).admin == AdminState::drain);
  CHECK(pool.server(0).weight == 7);
  CHECK_FALSE(pool.server(0).up);
  CHECK(pool.sticky()->set_cookie(0, false) == old->pools()[0]->sticky()->set_cookie(0, false));
}

TEST_CASE("heirloom: bytes of any kind go through its text", "[edge][heirloom]") {
  Heirloom heirloom;
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  heirloom.listeners.push_back(
      {"unix:/a \"b\"", all, std::chrono::seconds{777}, conf::ListenerTls::Version::tls13});
  heirloom.admin = "127.0.0.1:1";
  heirloom.backends.push_back({"b", all, {{"s", AdminState::drain, 1000, 1, false}}});
  heirloom.listeners.push_back({"c", "", {}, conf::ListenerTls::Version::tls12, true});
  heirloom.drained_routes = {"a \"b\"", "r"};
  const auto parsed = Heirloom::parse(heirloom.text());
  REQUIRE(parsed);
  CHECK(parsed->text() == heirloom.text());
  CHECK(parsed->addresses() == std::vector<std::string>{"unix:/a \"b\"", "c", "127.0.0.1:1"});
  CHECK(parsed->secret("b") == all);
  CHECK(parsed->secret("c").empty());
  conf::Listener listener;
  listener.address = *conf::Address::parse("unix:/a \"b\"");
  CHECK(parsed->ticket_keys(listener).empty());
  listener.tls.emplace();
  CHECK(parsed->ticket_keys(listener).empty());  // tickets of 1.3 at a listener of 1.2
  listener.tls->min_version = conf::ListenerTls::Version::tls13;
  CHECK(parsed->ticket_keys(listener) == all);
  CHECK(parsed->ticket_key_age(listener) == std::chrono::seconds{777});
}

TEST_CASE("heirloom: what is none is refused, what is odd in it does no harm", "[edge][heirloom]") {
  for (const char* text : {"", "{}", "[]", R"({"format":2})", R"({"format":1)"}) {
    CAPTURE(text);
    CHECK_FALSE(Heirloom::parse(text));
  }
  const auto odd = Heirloom::parse(
      R"({"format":1,"new":[1],"listeners":[1,{"ticket_keys":"0"},{"ticket_keys":"zz","ticket_key_age":-1e300}],)"
      R"("backends":[{"name":"b","secret":7,"servers":[{"state":"x","weight":1e9},null]}]})");
  REQUIRE(odd);
  CHECK(odd->listeners.size() == 3);
  CHECK(odd->listeners[1].ticket_keys.empty());
  CHECK(odd->listeners[2].ticket_key_age == std::chrono::seconds{0});
  CHECK(odd->backends[0].servers[0].weight == 1000);
  CHECK(odd->backends[0].servers[0].state == AdminState::ready);
  CHECK(odd->backends[0].servers[1].up);
  runtime("", &*odd);
}

TEST_CASE("handover: the variable", "[edge][handover]") {
  const auto good = parse_handover("5:6");
  REQUIRE(good);
  CHECK(good->channel == 5);
  CHECK(good->state == 6);
  for (const char* bad : {"", "5", "5:", ":6", "5:5", "2:6", "5:2", "5:6:7", "a:b", "-1:4", " 5:6",
                          "99999999999:6"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_handover(bad));
  }
}

TEST_CASE("handover: the new process's answer, cut anywhere", "[edge][handover]") {
  using Kind = HandoverAnswer::Kind;
  const std::string ready = "ready 1234\n";
  for (std::size_t i = 0; i < ready.size(); ++i) {
    CAPTURE(i);
    CHECK(parse_handover_answer(ready.substr(0, i), false).kind == Kind::more);
    CHECK(parse_handover_answer(ready.substr(0, i), true).kind == Kind::failed);
  }
  CHECK(parse_handover_answer(ready, false).kind == Kind::ready);
  CHECK(parse_handover_answer(ready, true).pid == 1234);
  CHECK(parse_handover_answer("failed\nf:1:2: wrong\n", false).kind == Kind::more);
  const HandoverAnswer failed = parse_handover_answer("failed\nf:1:2: wrong\nand more\n", true);
  CHECK(failed.kind == Kind::failed);
  CHECK(failed.why == "f:1:2: wrong\nand more");
  for (const char* odd : {"ready\n", "ready x\n", "ready 1x\n", "other"}) {
    CAPTURE(odd);
    CHECK(parse_handover_answer(odd, true).kind == Kind::failed);
    CHECK(parse_handover_answer(odd, true).why.empty());
  }
}
