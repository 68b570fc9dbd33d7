#include "proxy/remote/session_tables.h"

#include "proxy/remote/commands.h"
#include "tests/support/catch.h"

namespace fairlead::remote {

TEST_CASE("session tables: numbers are short", "[remote]") {
  CHECK(short_number(0) == "0");
  CHECK(short_number(999) == "999");
  CHECK(short_number(0.25) == "0.2");
  CHECK(short_number(1000) == "1k");
  CHECK(short_number(1536) == "1.5k");
  CHECK(short_number(2.5e9) == "2.5G");
  CHECK(short_number(1e13) == "10000G");
}

TEST_CASE("session tables: a row each, and how many there are", "[remote]") {
  const auto list = observe::parse_json(R"({"sessions":[{"conn_id":"00000000000000a1",
      "client_ip":"10.0.0.1","route":"chat","server":"10.0.0.2:80","path":"/c","duration_ms":61000,
      "idle_ms":2000,"rtt_ms":1.5,"msgs_per_s":0,"bytes_per_s":2048,"buffered_bytes":0}],
      "total":12})");
  REQUIRE(list);
  CHECK(sessions_text(*list) ==
        "ID                CLIENT    ROUTE  SERVER       AGE    IDLE  RTT MS  MSGS/S  BYTES/S  "
        "BUFFERED  PATH\n"
        "00000000000000a1  10.0.0.1  chat   10.0.0.2:80  1m 1s  2s    1.5     0       2.0k     "
        "0         /c\n"
        "1 of 12\n");
}

TEST_CASE("session commands: path and query", "[remote]") {
  SessionArguments arguments;
  CHECK(sessions_path(arguments) == "/api/sessions");
  arguments.route = "a b&c";
  arguments.client = "10.0.0.0/8";
  arguments.limit = "5";
  CHECK(sessions_path(arguments) == "/api/sessions?route=a%20b%26c&client=10.0.0.0%2F8&limit=5");
  arguments.id = "00000000000000a1";
  CHECK(sessions_path(arguments) == "/api/sessions/00000000000000a1");
}

}  // namespace fairlead::remote
