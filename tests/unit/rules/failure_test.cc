#include "proxy/rules/failure.h"

#include <set>
#include <string_view>

#include "tests/support/catch.h"

namespace fairlead::rules {
namespace {

const Failure& row(int i) {
  return failure(static_cast<Cause>(i));
}

// Codes an endpoint may put in a Close (RFC 6455 7.4): 1005, 1006 and 1015 never.
bool is_sendable(std::uint16_t code) {
  static const std::set<std::uint16_t> kCodes{0, 1001, 1002, 1007, 1008, 1009, 1011, 1012};
  return kCodes.contains(code);
}

}  // namespace

TEST_CASE("failure: each cause has its own row and its own word", "[rules][failure]") {
  std::set<std::string_view> words;
  for (int i = 0; i < kCauseCount; ++i) {
    CAPTURE(i, row(i).word);
    CHECK(static_cast<int>(row(i).cause) == i);
    CHECK_FALSE(row(i).word.empty());
    CHECK(words.insert(row(i).word).second);
  }
}

TEST_CASE("failure: close codes are those that may stand on the wire", "[rules][failure]") {
  for (int i = 0; i < kCauseCount; ++i) {
    CAPTURE(row(i).word);
    CHECK(is_sendable(row(i).client_code));
    CHECK(is_sendable(row(i).backend_code));
    CHECK((row(i).status == 0 || (row(i).status >= 300 && row(i).status < 600)));
    // A Close reason has at most 123 bytes (RFC 6455 5.5).
    CHECK(row(i).text.size() <= 123);
  }
}

TEST_CASE("failure: another server is tried only where nothing was sent", "[rules][failure]") {
  std::set<Cause> retryable;
  for (int i = 0; i < kCauseCount; ++i) {
    if (row(i).retryable) retryable.insert(row(i).cause);
  }
  CHECK(retryable == std::set<Cause>{Cause::backend_unreachable, Cause::backend_connect_timeout,
                                     Cause::out_of_ports});
}

TEST_CASE("failure: no code is made up for a side that vanished", "[rules][failure]") {
  for (int i = 0; i < kCauseCount; ++i) {
    const auto cause = static_cast<Cause>(i);
    CAPTURE(row(i).word);
    CHECK(own_close_code(cause) == (ended_by(cause) == Party::proxy ? row(i).client_code : 0));
  }
  for (const Cause cause : {Cause::client_gone, Cause::client_dead, Cause::backend_gone,
                            Cause::backend_dead, Cause::not_reattached}) {
    CHECK(own_close_code(cause) == 0);
  }
  CHECK(own_close_code(Cause::slow_backend) == 1011);
  CHECK(own_close_code(Cause::moved) == 1012);
}

TEST_CASE("failure: what ends a session, and what does not", "[rules][failure]") {
  for (int i = 0; i < kCauseCount; ++i) {
    const auto cause = static_cast<Cause>(i);
    CAPTURE(row(i).word);
    if (row(i).client_code != 0 || row(i).backend_code != 0) CHECK(ends_session(cause));
  }
  for (const Cause cause : {Cause::client_closed, Cause::backend_closed, Cause::forced_stop})
    CHECK(ends_session(cause));
  for (const Cause cause : {Cause::done, Cause::client_left, Cause::draining, Cause::no_server,
                            Cause::backend_unreachable}) {
    CHECK_FALSE(ends_session(cause));
  }
}

TEST_CASE("failure: the status of a log line is what the client got", "[rules][failure]") {
  CHECK(logged_status(Cause::client_left, 0) == 499);
  CHECK(logged_status(Cause::slow_client, 0) == 499);
  CHECK(logged_status(Cause::forced_stop, 0) == 0);
  for (int i = 0; i < kCauseCount; ++i) {
    CAPTURE(row(i).word);
    CHECK(logged_status(row(i).cause, 200) == 200);
  }
}

}  // namespace fairlead::rules
