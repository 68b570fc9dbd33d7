#include "proxy/observe/span.h"

#include "proxy/observe/json_value.h"
#include "proxy/observe/trace_counts.h"
#include "tests/support/catch.h"

namespace fairlead::observe {
namespace {

using namespace std::chrono_literals;

// Began 2024-02-29 12:34:56.789, at 100 s of the steady clock.
Span span() {
  Span span;
  span.context.own =
      *rules::parse_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  span.method = "GET";
  span.began = std::chrono::system_clock::time_point(1709210096789ms);
  span.start = Span::TimePoint(100s);
  return span;
}

std::string text_of(const Span& span, const Entry& line, bool failed = false,
                    Span::TimePoint end = Span::TimePoint(101s)) {
  std::string out;
  append_span(span, line, failed, end, out);
  REQUIRE(parse_json(out));
  return out;
}

// "key=value" of each attribute.
std::vector<std::string> attributes(const JsonValue& of) {
  std::vector<std::string> all;
  for (const JsonValue& one : of.items_of("attributes")) {
    const JsonValue& value = *one.find("value");
    REQUIRE(value.members.size() == 1);
    const JsonValue& plain = value.members.front().value;
    all.push_back(
        one.string_of("key") + "=" +
        (plain.kind == JsonValue::Kind::number ? std::to_string(plain.number) : plain.text));
  }
  return all;
}

bool has(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

TEST_CASE("span: a session, all of it", "[observe][span]") {
  const conf::Ip ip = conf::Ip::v4(0xC0000201);
  Span one = span();
  one.context.parent = {1, 2, 3, 4, 5, 6, 7, 8};
  one.state = "a=\"1\"";
  one.secure = true;
  one.connected = one.start + 2ms;
  one.switched = one.start + 5ms;
  Entry line;
  line.event = "close";
  line.conn_id = 0x12ab;
  line.request_id = "req-1";
  line.client_ip = &ip;
  line.listener = "0.0.0.0:443";
  line.tls = "TLSv1.3";
  line.host = "Chat.example.com:8443";
  line.path = "/room";
  line.route = "chat";
  line.backend = "pool";
  line.server = "10.0.0.1:80";
  line.status = 101;
  line.traffic = {1, 2, 3, 4};
  line.pings = 5;
  line.rtt_ms = 1.25;
  line.close_code = 1000;
  line.close_reason = "bye";
  line.closed_by = "client";
  line.reason = "client_closed";
  const auto json = parse_json(text_of(one, line));
  CHECK(json->string_of("traceId") == "4bf92f3577b34da6a3ce929d0e0e4736");
  CHECK(json->string_of("spanId") == "00f067aa0ba902b7");
  CHECK(json->string_of("parentSpanId") == "0102030405060708");
  CHECK(json->string_of("traceState") == "a=\"1\"");
  CHECK(json->string_of("name") == "GET chat");
  CHECK(json->number_of("kind") == 2);
  CHECK(json->string_of("startTimeUnixNano") == "1709210096789000000");
  CHECK(json->string_of("endTimeUnixNano") == "1709210097789000000");
  CHECK(json->find("status") == nullptr);
  const auto about = attributes(*json);
  for (const char* wanted : {"http.request.method=GET",
                             "url.scheme=https",
                             "url.path=/room",
                             "server.address=chat.example.com",
                             "server.port=8443",
                             "client.address=192.0.2.1",
                             "network.protocol.name=websocket",
                             "http.response.status_code=101",
                             "tls.protocol.version=1.3",
                             "fairlead.connection=00000000000012ab",
                             "fairlead.request_id=req-1",
                             "fairlead.route=chat",
                             "fairlead.backend=pool",
                             "fairlead.server=10.0.0.1:80",
                             "fairlead.reason=client_closed",
                             "fairlead.messages.in=1",
                             "fairlead.messages.out=2",
                             "fairlead.bytes.in=3",
                             "fairlead.bytes.out=4",
                             "fairlead.pings=5",
                             "fairlead.rtt_ms=1.250000",
                             "fairlead.close.code=1000",
                             "fairlead.close.by=client",
                             "fairlead.close.reason=bye"}) {
    CAPTURE(wanted);
    CHECK(has(about, wanted));
  }
  const auto& events = json->items_of("events");
  REQUIRE(events.size() == 3);
  CHECK(events[0].string_of("name") == "connect");
  CHECK(events[0].string_of("timeUnixNano") == "1709210096791000000");
  CHECK(attributes(events[0]) == std::vector<std::string>{"fairlead.server=10.0.0.1:80"});
  CHECK(events[1].string_of("name") == "handshake");
  CHECK(events[1].string_of("timeUnixNano") == "1709210096794000000");
  CHECK(events[2].string_of("name") == "close");
  CHECK(events[2].string_of("timeUnixNano") == json->string_of("endTimeUnixNano"));
  CHECK(has(attributes(events[2]), "fairlead.close.code=1000"));
}

TEST_CASE("span: a plain request, as little as it has", "[observe][span]") {
  Entry line;
  line.event = "http";
  line.status = 404;
  line.reason = "no_route";
  line.host = "a b";  // what is no authority stays as it is
  Span one = span();
  one.minor_version = 0;
  const auto json = parse_json(text_of(one, line));
  CHECK(json->find("parentSpanId") == nullptr);
  CHECK(json->find("traceState") == nullptr);
  CHECK(json->string_of("name") == "GET");
  CHECK(json->items_of("events").empty());
  CHECK(attributes(*json) ==
        std::vector<std::string>{"http.request.method=GET", "url.scheme=http", "server.address=a b",
                                 "network.protocol.name=http", "network.protocol.version=1.0",
                                 "http.response.status_code=404",
                                 "fairlead.connection=0000000000000000",
                                 "fairlead.reason=no_route"});
}

TEST_CASE("span: faults, odd methods, answers that were not sent", "[observe][span]") {
  Entry line;
  line.event = "http";
  line.status = 502;
  line.reason = "backend_unreachable";
  Span one = span();
  one.method = "BREW\"";
  const auto failed = parse_json(text_of(one, line, true));
  CHECK(failed->find("status")->number_of("code") == 2);
  CHECK(failed->find("status")->string_of("message") == "backend_unreachable");
  CHECK(failed->string_of("name") == "HTTP");
  CHECK(has(attributes(*failed), "error.type=backend_unreachable"));
  CHECK(has(attributes(*failed), "http.request.method=_OTHER"));
  CHECK(has(attributes(*failed), "http.request.method_original=BREW\""));

  line.status = 499;
  const auto left = parse_json(text_of(one, line, false, one.start - 1s));
  CHECK_FALSE(has(attributes(*left), "http.response.status_code=499"));
  CHECK(left->string_of("endTimeUnixNano") == left->string_of("startTimeUnixNano"));
}

TEST_CASE("span: long texts are cut at a character's beginning", "[observe][span]") {
  Entry line;
  line.event = "http";
  std::string path(1024, 'a');
  for (const char* more : {"", "b", "bb"}) {
    path = std::string(1024, 'a') + more;
    line.path = path;
    CHECK(
        has(attributes(*parse_json(text_of(span(), line))), "url.path=" + std::string(1024, 'a')));
  }
  path = std::string(1023, 'a') + "\xc3\xa4";  // two bytes
  line.path = path;
  CHECK(has(attributes(*parse_json(text_of(span(), line))), "url.path=" + std::string(1023, 'a')));
  path = "/\xff\"\n";
  line.path = path;
  CHECK(has(attributes(*parse_json(text_of(span(), line))), "url.path=/\xef\xbf\xbd\"\n"));
}

TEST_CASE("span: a POST's body", "[observe][span]") {
  const std::string body = spans_begin({"my \"service\"", "1.2.3", "host", 77}) +
                           text_of(span(), {}) + "," + text_of(span(), {}) + std::string(kSpansEnd);
  const auto json = parse_json(body);
  REQUIRE(json);
  const JsonValue& resource = json->items_of("resourceSpans").front();
  CHECK(attributes(*resource.find("resource")) ==
        std::vector<std::string>{"service.name=my \"service\"", "service.version=1.2.3",
                                 "host.name=host", "process.pid=77"});
  CHECK(resource.items_of("scopeSpans").front().items_of("spans").size() == 2);
}

TEST_CASE("trace counts: as Prometheus reads them", "[observe][span]") {
  TraceCounts counts;
  counts.sent = 7;
  counts.dropped[static_cast<std::size_t>(SpanLoss::rejected)] = 3;
  std::string out;
  append_metrics(counts, out);
  CHECK(out.find("\nfairlead_tracing_spans_total 7\n") != std::string::npos);
  CHECK(out.find("fairlead_tracing_dropped_total{reason=\"queue_full\"} 0\n") != std::string::npos);
  CHECK(out.find("fairlead_tracing_dropped_total{reason=\"rejected\"} 3\n") != std::string::npos);
  CHECK(out.find("fairlead_tracing_dropped_total{reason=\"stopped\"} 0\n") != std::string::npos);
}

}  // namespace fairlead::observe
