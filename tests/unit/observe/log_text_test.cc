#include "proxy/observe/log_text.h"

#include <string>

#include "tests/support/catch.h"

namespace fairlead::observe {

TEST_CASE("log text: gives back what it was given", "[observe][log_text]") {
  std::string host = "example.com";
  LogText::Items items{};
  items[LogText::request_id] = "id";
  items[LogText::host] = host;
  items[LogText::sni] = "sni";
  const LogText text(items);
  host.assign(host.size(), '#');  // it has its own copy
  CHECK(text.get(LogText::request_id) == "id");
  CHECK(text.get(LogText::host) == "example.com");
  CHECK(text.get(LogText::path) == "");
  CHECK(text.get(LogText::origin) == "");
  CHECK(text.get(LogText::subprotocol) == "");
  CHECK(text.get(LogText::extensions) == "");
  CHECK(text.get(LogText::sni) == "sni");
}

TEST_CASE("log text: each item is cut at 2 KiB and the others are whole", "[observe][log_text]") {
  for (std::size_t size : {2047U, 2048U, 2049U, 70'000U}) {
    const std::string big(size, 'b');
    LogText::Items items;
    items.fill(big);
    items[LogText::sni] = "after";
    const LogText text(items);
    CHECK(text.get(LogText::request_id) == big.substr(0, 2048));
    CHECK(text.get(LogText::extensions) == big.substr(0, 2048));
    CHECK(text.get(LogText::sni) == "after");
  }
}

TEST_CASE("log text: empty it has no text, moved it takes it along", "[observe][log_text]") {
  CHECK(LogText().get(LogText::sni) == "");
  LogText::Items items{};
  items[LogText::path] = "/a";
  LogText first(items);
  const LogText second = std::move(first);
  CHECK(second.get(LogText::path) == "/a");
  CHECK(first.get(LogText::path) == "");  // NOLINT: part of the contract
}

}  // namespace fairlead::observe
