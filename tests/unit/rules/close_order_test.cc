#include "proxy/rules/close_order.h"

#include "tests/support/catch.h"

namespace fairlead::rules {

TEST_CASE("close order: which ends are graceful, and tell the client first", "[rules][close]") {
  using enum Cause;
  const std::vector<Cause> graceful = {stopping, moved, closed_by_admin, idle_timeout,
                                       max_lifetime};
  for (int i = 0; i < kCauseCount; ++i) {
    const auto cause = static_cast<Cause>(i);
    const bool wanted = std::count(graceful.begin(), graceful.end(), cause) != 0;
    CAPTURE(failure(cause).word);
    CHECK(is_graceful(cause) == wanted);
    if (wanted) CHECK((failure(cause).client_code != 0 && failure(cause).backend_code != 0));
    for (bool has_server : {false, true}) {
      CloseOrder order;
      CHECK_FALSE(order.keeps_server());
      CHECK_FALSE(order.client_first());
      order.begin(cause, has_server);
      CHECK(order.keeps_server() == (wanted && has_server));
      CHECK(order.client_first() == (wanted && has_server));
    }
  }
}

TEST_CASE("close order: when the server's turn comes", "[rules][close]") {
  for (unsigned bits = 0; bits < 16; ++bits) {
    CAPTURE(bits);
    const ClientEnd client{(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0};
    const bool time_is_up = (bits & 8) != 0;
    CloseOrder open;
    CHECK_FALSE(open.release(client, time_is_up));
    CloseOrder at_once;
    at_once.begin(Cause::client_gone, true);
    CHECK_FALSE(at_once.release(client, time_is_up));
    CloseOrder order;
    order.begin(Cause::stopping, true);
    CHECK(order.release(client, time_is_up) == (bits != 0));
    CHECK(order.keeps_server() == (bits == 0));
    CHECK(order.client_first());
    if (bits != 0) CHECK_FALSE(order.release(client, time_is_up));  // once
  }
}

}  // namespace fairlead::rules
