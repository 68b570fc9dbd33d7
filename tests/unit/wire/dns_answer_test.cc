#include "proxy/wire/dns_answer.h"

#include "tests/support/catch.h"

using namespace fairlead;
using namespace fairlead::wire;

namespace {

std::string u16(unsigned value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
}

// "a.b" as labels; "*12" at the end: a pointer to there.
std::string name(std::string_view text) {
  std::string out;
  while (!text.empty() && text.front() != '*') {
    const auto label = text.substr(0, text.find('.'));
    out += static_cast<char>(label.size());
    out += label;
    text.remove_prefix(std::min(text.size(), label.size() + 1));
  }
  if (text.empty()) return out + '\0';
  return out + u16(0xc000U | static_cast<unsigned>(std::stoi(std::string(text.substr(1)))));
}

std::string record(const std::string& owner, unsigned type, unsigned ttl, const std::string& data,
                   unsigned cls = 1) {
  return owner + u16(type) + u16(cls) + u16(ttl >> 16) + u16(ttl & 0xffff) +
         u16(static_cast<unsigned>(data.size())) + data;
}

// The answer to a question for app.test, which stands at 12.
std::string message(const std::vector<std::string>& records, DnsType type = DnsType::a) {
  std::string out =
      u16(7) + u16(0x8180) + u16(1) + u16(static_cast<unsigned>(records.size())) + u16(0) + u16(0);
  out += name("app.test") + u16(static_cast<unsigned>(type)) + u16(1);
  for (const auto& one : records) out += one;
  return out;
}

const std::string kOwner = name("*12");
const std::string kFour{"\x0a\0\0\x01", 4};
const std::string kOther{"\x0a\0\0\x02", 4};

std::string text_of(const std::optional<DnsAnswer>& answer) {
  if (!answer) return "nothing";
  std::string out = std::to_string(answer->ttl);
  for (const auto& ip : answer->addresses) out += " " + ip.text();
  for (const auto& one : answer->services) {
    out += " " + std::to_string(one.priority) + "/" + std::to_string(one.weight) + "/" +
           one.target + ":" + std::to_string(one.port);
  }
  return out;
}

}  // namespace

TEST_CASE("dns answer: addresses of the name, with the shortest TTL", "[wire][dns]") {
  CHECK(text_of(read_dns_answer(
            message({record(kOwner, 1, 30, kFour), record(name("APP.Test"), 1, 20, kOther)}),
            DnsType::a)) == "20 10.0.0.1 10.0.0.2");
  const std::string six = std::string("\xfd") + std::string(14, '\0') + "\x01";
  CHECK(text_of(read_dns_answer(message({record(kOwner, 28, 5, six)}, DnsType::aaaa),
                                DnsType::aaaa)) == "5 fd00::1");
  CHECK(read_dns_answer(message({}), DnsType::a)->addresses.empty());
}

TEST_CASE("dns answer: through CNAMEs, and past what is not asked for", "[wire][dns]") {
  const std::vector<std::string> records{
      record(kOwner, 5, 9, name("real.other")),
      record(name("real.other"), 1, 60, kFour),
      record(kOwner, 1, 60, kOther),                 // no longer the name
      record(name("real.other"), 1, 60, kOther, 3),  // another class
      record(name("real.other"), 16, 1, "\x03txt"),  // another type
      record(name("else.test"), 1, 1, kOther)};
  CHECK(text_of(read_dns_answer(message(records), DnsType::a)) == "9 10.0.0.1");
}

TEST_CASE("dns answer: services", "[wire][dns]") {
  const auto service = [](unsigned priority, unsigned weight, unsigned port,
                          const std::string& to) {
    return record(kOwner, 33, 40, u16(priority) + u16(weight) + u16(port) + to);
  };
  CHECK(text_of(read_dns_answer(
            message({service(1, 2, 8080, name("One.*12")), service(0, 65535, 1, name("b"))},
                    DnsType::srv),
            DnsType::srv)) == "40 1/2/one.app.test:8080 0/65535/b:1");
  CHECK(text_of(read_dns_answer(message({service(0, 0, 0, name(""))}, DnsType::srv),
                                DnsType::srv)) == "40 0/0/:0");
  // No byte of a label passes for a dot.
  const std::string odd = std::string("\x03") + "a.b" + '\0';
  CHECK(text_of(read_dns_answer(message({service(0, 0, 1, odd)}, DnsType::srv), DnsType::srv)) ==
        "40 0/0/a?b:1");
}

TEST_CASE("dns answer: a TTL with its upper bit is none", "[wire][dns]") {
  CHECK(read_dns_answer(message({record(kOwner, 1, 0x80000000, kFour)}), DnsType::a)->ttl == 0);
  CHECK(read_dns_answer(message({record(kOwner, 1, 0x7fffffff, kFour)}), DnsType::a)->ttl ==
        0x7fffffff);
}

TEST_CASE("dns answer: cut anywhere it is nothing", "[wire][dns]") {
  const std::string whole =
      message({record(kOwner, 5, 9, name("real.other")), record(name("real.other"), 1, 6, kFour)});
  REQUIRE(read_dns_answer(whole, DnsType::a));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(read_dns_answer(whole.substr(0, size), DnsType::a));
  }
}

TEST_CASE("dns answer: what cannot be read", "[wire][dns]") {
  const auto start = static_cast<int>(message({}).size());
  const std::vector<std::string> records{
      record(kOwner, 1, 1, kFour + "x"),
      record(kOwner, 1, 1, "abc"),
      record(kOwner, 1, 1, ""),
      record(kOwner, 5, 1, name("a") + "x"),
      record(kOwner, 5, 1, ""),
      record(name("*" + std::to_string(start)), 1, 1, kFour),      // points to itself
      record(name("*" + std::to_string(start + 9)), 1, 1, kFour),  // ... forwards
      record(name("a.*" + std::to_string(start)), 1, 1, kFour),    // a loop with a label in it
      record(std::string("\x40") + std::string(64, 'a') + '\0', 1, 1, kFour)};
  for (const auto& one : records) {
    CAPTURE(one.size());
    CHECK_FALSE(read_dns_answer(message({one}), DnsType::a));
  }
  CHECK_FALSE(read_dns_answer(message({record(kOwner, 28, 1, kFour)}), DnsType::aaaa));
  CHECK_FALSE(read_dns_answer(message({record(kOwner, 33, 1, "123456")}), DnsType::srv));
  std::string two = message({});
  two[5] = 2;  // questions
  CHECK_FALSE(read_dns_answer(two, DnsType::a));
}

TEST_CASE("dns answer: names end at 253 characters", "[wire][dns]") {
  const std::string label(62, 'a');
  const std::string three = label + "." + label + "." + label + ".";  // 189
  for (const std::size_t last : {62U, 63U}) {
    const std::string longest = three + std::string(last, 'a') + ".";
    // 189 + 62 + 1 = 252 and one label more
    CHECK(read_dns_answer(message({record(name(longest + "b"), 1, 1, kFour)}), DnsType::a)
              .has_value() == (last == 62));
  }
}
