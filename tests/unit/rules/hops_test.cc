#include "proxy/rules/hops.h"

#include "tests/support/catch.h"
#include "tests/unit/rules/heads.h"

namespace fairlead::rules {
namespace {

constexpr const char* kOwn = "00112233445566ff";

std::string head(const std::string& lines) {
  return "GET / HTTP/1.1\nHost: a.com" + (lines.empty() ? "" : "\n" + lines);
}

bool loops(const std::string& lines) {
  const Request request(head(lines));
  return is_loop(request.head.fields, kOwn);
}

std::string next(const std::string& lines) {
  const Request request(head(lines));
  return next_hops(request.head.fields, kOwn);
}

std::string chain(unsigned count) {
  std::string list;
  for (unsigned i = 0; i < count; ++i) {
    list += (i == 0 ? "" : ", ") + std::string("000000000000000") + "0123456789abcdef"[i % 16];
  }
  return "Fairlead-Via: " + list;
}

}  // namespace

TEST_CASE("hops: a request that comes back is told from a new one", "[rules][hops]") {
  struct Row {
    std::string lines;
    bool want;
    const char* why;
  };

  const Row rows[] = {
      {"", false, "the first hop"},
      {"Fairlead-Via: 00112233445566ff", true, "it has been here"},
      {"fairlead-via: aaaaaaaaaaaaaaaa, 00112233445566ff", true, "here, second in the list"},
      {"Fairlead-Via: aaaaaaaaaaaaaaaa\nFairlead-Via: 00112233445566ff", true, "in two fields"},
      {"Fairlead-Via: aaaaaaaaaaaaaaaa", false, "another process of a legal chain"},
      {"Fairlead-Via: 00112233445566fe", false, "almost"},
      {"Fairlead-Via: x00112233445566ff", false, "within a longer word"},
      {"Fairlead-Via: " + std::string(4000, ','), false, "nothing but commas"},
      {"Via: 1.1 00112233445566ff", false, "somebody else's field"},
      {chain(15), false, "a long chain"},
      {chain(16), true, "one that is too long"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    CHECK(loops(row.lines) == row.want);
  }
}

TEST_CASE("hops: each process adds itself, and passes nothing else on", "[rules][hops]") {
  CHECK(next("") == "00112233445566ff");
  CHECK(next("Fairlead-Via: aaaaaaaaaaaaaaaa") == "aaaaaaaaaaaaaaaa, 00112233445566ff");
  CHECK(next("Fairlead-Via: bbbbbbbbbbbbbbbb\nFairlead-Via: junk, aaaaaaaaaaaaaaaa,,") ==
        "bbbbbbbbbbbbbbbb, aaaaaaaaaaaaaaaa, 00112233445566ff");
  CHECK(next("Fairlead-Via: AAAAAAAAAAAAAAAA, aaaa") == "00112233445566ff");
}

}  // namespace fairlead::rules
