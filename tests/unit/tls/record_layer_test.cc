// The record layer against a peer that holds the right keys and keeps no rule.

#include "tls/record_layer.h"

#include "tests/unit/tls/record_rig.h"

namespace fairlead::tls::rig {

namespace {

using Role = RecordLayer::Role;
using namespace std::string_literals;

constexpr const char kUpdate[] = {24, 0, 0, 1, 0};
constexpr const char kUpdateAndAnswer[] = {24, 0, 0, 1, 1};
const std::string_view kUpdateText(kUpdate, 5);
const std::string_view kAnswerText(kUpdateAndAnswer, 5);

}  // namespace

TEST_CASE("record layer: data of every size around a record's", "[tls][records]") {
  const Suite suite = GENERATE(from_range(kAllSuites));
  Hostile pair(suite);
  std::string sent;
  for (const std::size_t size : {0U, 1U, 2U, 16383U, 16384U, 16385U, 32768U, 32769U, 100000U}) {
    const std::string text = pattern(size);
    std::string got;
    const auto records = pair.far.open(pair.near.write(text));
    REQUIRE(records.size() == (size + 16383) / 16384);
    for (const std::string& inner : records) {
      REQUIRE(inner.back() == 23);
      got += inner.substr(0, inner.size() - 1);
    }
    REQUIRE(got == text);
    for (std::size_t at = 0; at < size; at += 16384) {
      pair.near.feed(pair.far.data(std::string_view(text).substr(at, 16384)));
    }
    sent += text;
    REQUIRE(pair.near.plain == sent);
  }
}

TEST_CASE("record layer: padding is taken off", "[tls][records]") {
  Hostile pair;
  pair.near.feed(joined({pair.far.inner("a\x17"s), pair.far.inner("b\x17\0"s),
                         pair.far.inner("c\x17"s + std::string(16383, '\0'))}));
  REQUIRE(pair.near.plain == "abc");
  pair.near.feed(pair.far.inner("\0\0d\0\0\x17\0\0"s));
  REQUIRE(pair.near.plain == "abc\0\0d\0\0"s);
}

TEST_CASE("record layer: the largest record with its padding, and one byte more",
          "[tls][records][limits]") {
  Hostile pair;
  REQUIRE(pair.near.feed(pair.far.inner(std::string(16384, 'x') + "\x17")) == Status::ok);
  REQUIRE(pair.near.plain.size() == 16384);
  REQUIRE(pair.near.feed(pair.far.inner("y\x17"s + std::string(16383, '\0'))) == Status::ok);
  REQUIRE(pair.near.plain.size() == 16385);
  pair.near.feed(pair.far.inner("y\x17"s + std::string(16384, '\0')));
  REQUIRE(pair.alert() == 22);  // record_overflow
  REQUIRE(pair.near.plain.size() == 16385);
}

TEST_CASE("record layer: more than the agreed fragment is an overflow", "[tls][records]") {
  Hostile pair;
  RecordLayer::Start start = start_of(Suite::aes_128_gcm_sha256, Role::server);
  start.max_plain = 512;
  pair.near.layer = std::make_unique<RecordLayer>();
  REQUIRE(pair.near.layer->start(start));
  REQUIRE(pair.near.feed(pair.far.data(std::string(512, 'x'))) == Status::ok);
  REQUIRE(pair.near.feed(pair.far.data(std::string(513, 'x'))) == Status::error);
  REQUIRE(pair.alert() == 22);  // record_overflow
}

TEST_CASE("record layer: what may not come is answered with its alert", "[tls][records][bad]") {
  struct Row {
    const char* why;
    int alert;
    Role role;
    std::vector<std::string> inner;  // plaintexts of records under the right keys
    std::string raw = {};            // or bytes
  };

  const std::string ticket = "\x04\0\0\x05hello"s;
  const std::string zeros(20, '\0');
  const std::vector<Row> rows = {
      {"padding only", 10, Role::server, {"\0\0\0\0"s}},
      {"nothing at all", 10, Role::server, {"\0"s}},
      {"an unknown inner type", 10, Role::server, {"x\x63"s}},
      {"a change_cipher_spec inside", 10, Role::server, {"\x01\x14"s}},
      {"an empty alert", 10, Role::server, {"\x15"s}},
      {"an empty handshake record", 10, Role::server, {"\x16"s}},
      {"an alert of one byte", 50, Role::server, {"\x02\x15"s}},
      {"an alert of three", 50, Role::server, {"\x01\0\0\x15"s}},
      {"two alerts in a record", 50, Role::server, {"\x01\x5a\x01\0\x15"s}},
      {"a ClientHello", 10, Role::server, {"\x01\0\0\1x\x16"s}},
      {"a ticket for a server", 10, Role::server, {ticket + "\x16"}},
      {"a CertificateRequest", 10, Role::client, {"\x0d\0\0\1x\x16"s}},
      {"a key update of a kind unknown", 47, Role::server, {"\x18\0\0\1\x02\x16"s}},
      {"a key update too long", 50, Role::server, {"\x18\0\0\2\0\0\x16"s}},
      {"a key update before the record's end", 10, Role::server, {"\x18\0\0\1\0\x18\x16"s}},
      {"two key updates in a record", 10, Role::server, {"\x18\0\0\1\0\x18\0\0\1\0\x16"s}},
      {"data within a message", 10, Role::server, {"\x18\0\0\x16"s, "data\x17"s}},
      {"empty data within a message", 10, Role::server, {"\x18\0\0\x16"s, "\x17"s}},
      {"a ticket too long", 50, Role::client, {"\x04\x02\x01\x0b\x16"s}},
      {"a change_cipher_spec", 10, Role::server, {}, raw_record(20, "\x01")},
      {"an alert in the clear", 10, Role::server, {}, raw_record(21, "\x02\x28")},
      {"a handshake record in the clear", 10, Role::server, {}, raw_record(22, "\x18\0\0\1\0"s)},
      {"a record of no type", 10, Role::server, {}, raw_record(0, zeros)},
      {"HTTP", 10, Role::server, {}, "GET / HTTP/1.1\r\n\r\n"},
      {"a record under other keys", 20, Role::server, {}, raw_record(23, std::string(40, 'x'))},
      {"a record that is a tag only", 20, Role::server, {}, raw_record(23, std::string(16, 'x'))},
      {"a record shorter than a tag", 20, Role::server, {}, raw_record(23, std::string(15, 'x'))},
      {"an empty record", 20, Role::server, {}, raw_record(23, "")},
      {"a record too long", 22, Role::server, {}, "\x17\x03\x03\x41\x01"s},
      {"the longest", 22, Role::server, {}, "\x17\x03\x03\xff\xff"s},
      {"over the limit by one", 22, Role::server, {}, "\x17\x03\x03\x40\x12"s},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    for (const bool in_pieces : {false, true}) {
      Hostile pair(Suite::aes_128_gcm_sha256, row.role);
      std::string bytes = pair.far.data("before");
      for (const std::string& inner : row.inner) bytes += pair.far.inner(inner);
      bytes += row.raw;
      if (in_pieces) {
        for (const char byte : bytes) {
          if (pair.near.feed({&byte, 1}) == Status::error) break;
        }
      } else {
        pair.near.feed(bytes);
      }
      REQUIRE(pair.near.plain == "before");
      REQUIRE(pair.alert() == row.alert);
      REQUIRE(pair.near.feed(pair.far.data("after")) == Status::error);
      REQUIRE(pair.near.plain == "before");
      std::string out;
      REQUIRE(pair.near.layer->write("x"s, out) == Status::error);
      pair.near.layer->close_notify(out);
      REQUIRE(out.empty());
    }
  }
}

TEST_CASE("record layer: a tag that is right over no content type is no data", "[tls][records]") {
  Hostile pair;
  std::string record = pair.far.inner("\x17"s);  // a record of 17 bytes: empty data
  REQUIRE(pair.near.feed(record) == Status::want_input);
  REQUIRE(pair.near.plain.empty());
}

TEST_CASE("record layer: any byte changed in a record is found out", "[tls][records][bad]") {
  const Suite suite = GENERATE(from_range(kAllSuites));
  for (std::size_t at = 0;; ++at) {
    Hostile pair(suite);
    std::string record = pair.far.data("some words");
    if (at == record.size()) break;
    CAPTURE(at);
    record[at] = static_cast<char>(record[at] ^ 0x40);
    // A length that grew wants bytes that never come, until they do.
    pair.near.feed(record);
    if (at == 4) {  // 27 became 91
      REQUIRE(pair.near.last == Status::want_input);
      pair.near.feed(std::string(64, 'x'));
    }
    REQUIRE(pair.near.plain.empty());
    REQUIRE(pair.alert() == (at == 0 ? 10 : at == 3 ? 22 : 20));
  }
}

TEST_CASE("record layer: a record again, left out or out of order is found out",
          "[tls][records][bad]") {
  const int kind = GENERATE(0, 1, 2);
  Hostile pair;
  const std::string a = pair.far.data("a");
  const std::string b = pair.far.data("b");
  if (kind == 0) pair.near.feed(a + a);
  if (kind == 1) pair.near.feed(b);
  if (kind == 2) pair.near.feed(b + a);
  REQUIRE(pair.near.plain == (kind == 0 ? "a" : ""));
  REQUIRE(pair.alert() == 20);
}

TEST_CASE("record layer: records however cut come out the same", "[tls][records][split]") {
  const auto bytes_of = [](Far& far) {
    const std::string bytes =
        joined({far.data("first"), far.inner("second\x17\0\0"s), far.seal(22, kUpdateText)});
    REQUIRE(far.seals.update());
    return bytes + joined({far.data("third"), far.seal(21, "\x01\0"s), "behind"});
  };
  std::size_t size = 1;
  for (std::size_t cut = 0; cut <= size; ++cut) {
    Hostile pair;
    const std::string bytes = bytes_of(pair.far);
    size = bytes.size();
    pair.near.feed(std::string_view(bytes).substr(0, cut));
    pair.near.feed(std::string_view(bytes).substr(cut));
    REQUIRE(pair.near.plain == "firstsecondthird");
    REQUIRE(pair.near.last == Status::closed);
    REQUIRE(pair.near.alerts.empty());
  }
  for (std::size_t piece = 1; piece < 30; ++piece) {
    Hostile pair;
    const std::string bytes = bytes_of(pair.far);
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      pair.near.feed(std::string_view(bytes).substr(at, piece));
    }
    REQUIRE(pair.near.plain == "firstsecondthird");
    REQUIRE(pair.near.last == Status::closed);
  }
}

TEST_CASE("record layer: any `to` gives the same bytes", "[tls][records][pending]") {
  for (std::size_t room = 1; room <= 60; ++room) {
    Hostile pair;
    std::string bytes =
        joined({pair.far.data(pattern(40)), pair.far.data(""),
                pair.far.inner("x\x17"s + std::string(50, '\0')), pair.far.seal(22, kAnswerText)});
    REQUIRE(pair.far.seals.update());
    bytes += joined({pair.far.data(pattern(20)), pair.far.seal(21, "\x01\0"s)});
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
      if (piece != bytes.size() && room % 3 != 0) continue;
      CAPTURE(room, piece);
      Hostile again;
      std::string got;
      std::string out;
      auto status = Status::ok;
      std::span<const char> in;
      for (std::size_t at = 0; at < bytes.size(); at += piece) {
        in = std::span(bytes).subspan(at, std::min(piece, bytes.size() - at));
        do {
          std::vector<char> to(room);
          std::size_t n = 0;
          status = again.near.layer->read(in, to, n, out);
          REQUIRE(status != Status::error);
          REQUIRE((status != Status::ok || n > 0));
          got.append(to.data(), n);
        } while (status == Status::ok && (!in.empty() || again.near.layer->has_pending()));
      }
      // The end may still stand behind data that filled `to`.
      std::size_t n = 0;
      std::vector<char> to(room);
      while (status == Status::ok) {
        status = again.near.layer->read(in, to, n, out);
        got.append(to.data(), n);
      }
      REQUIRE(status == Status::closed);
      REQUIRE(got == pattern(40) + "x" + pattern(20));
    }
  }
}

TEST_CASE("record layer: an offence behind data that filled `to` is pending",
          "[tls][records][pending]") {
  Hostile pair;
  const std::string first = pair.far.data(pattern(100));
  pair.near.feed(std::string_view(first).substr(0, first.size() - 1));
  const std::string rest = first.back() + "GET / HTTP/1.1"s;
  std::span<const char> in(rest);
  std::vector<char> to(100);
  std::size_t n = 0;
  REQUIRE(pair.near.layer->read(in, to, n, pair.near.alerts) == Status::ok);
  REQUIRE(n == 100);
  REQUIRE(in.empty());
  REQUIRE(pair.near.layer->has_pending());
  pair.near.last = pair.near.layer->read(in, to, n, pair.near.alerts);
  REQUIRE(n == 0);
  REQUIRE(pair.alert() == 10);
}

TEST_CASE("record layer: alerts that end and one that does not", "[tls][records]") {
  Hostile pair;
  REQUIRE(pair.near.feed(pair.far.seal(21, "\x01\x5a"s)) == Status::want_input);  // user_canceled
  REQUIRE(pair.near.feed(pair.far.data("still")) == Status::ok);
  // RFC 8446 6: of any other, the level says nothing.
  const char level = GENERATE(char{1}, char{2});
  REQUIRE(pair.near.feed(pair.far.seal(21, std::string{level, 40})) == Status::error);
  REQUIRE(pair.near.layer->error() == "sslv3 alert handshake failure"s);
  REQUIRE(pair.near.alerts.empty());  // no alert answers one
}

TEST_CASE("record layer: an alert nobody knows is fatal too", "[tls][records]") {
  Hostile pair;
  REQUIRE(pair.near.feed(pair.far.seal(21, "\x01\xfe"s)) == Status::error);
  REQUIRE(pair.near.layer->error() == "unknown alert type"s);
}

TEST_CASE("record layer: records without data are bounded in a row", "[tls][records][limits]") {
  const int kind = GENERATE(0, 1, 2, 3);
  CAPTURE(kind);
  Hostile pair(Suite::aes_128_gcm_sha256, Role::client);
  const auto idle = [&] {
    if (kind == 0) return pair.far.data("");
    if (kind == 1) return pair.far.seal(21, "\x01\x5a"s);
    if (kind == 2) return pair.far.seal(22, "\x04\0\0\x01x"s);
    const std::string update = pair.far.seal(22, kAnswerText);
    REQUIRE(pair.far.seals.update());
    return update;
  };
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 32; ++i) REQUIRE(pair.near.feed(idle()) == Status::want_input);
    REQUIRE(pair.near.feed(pair.far.data("x")) == Status::ok);
  }
  for (int i = 0; i < 32; ++i) pair.near.feed(idle());
  pair.near.feed(idle());
  REQUIRE(pair.alert() == 10);
}

TEST_CASE("record layer: after close_notify nothing is sent, and data is still read",
          "[tls][records][ending]") {
  Hostile pair;
  std::string out;
  pair.near.layer->close_notify(out);
  pair.near.layer->close_notify(out);
  REQUIRE(pair.far.open(out) == std::vector<std::string>{"\x01\0\x15"s});
  REQUIRE(pair.near.feed(pair.far.data("more")) == Status::ok);
  REQUIRE(pair.near.plain == "more");
  pair.near.feed(raw_record(20, "\x01"));
  REQUIRE(pair.near.last == Status::error);
  REQUIRE(pair.near.alerts.empty());
}

TEST_CASE("record layer: after the peer's close_notify we may still write",
          "[tls][records][ending]") {
  Hostile pair;
  REQUIRE(pair.near.feed(joined({pair.far.seal(21, "\x01\0"s), pair.far.data("ignored")})) ==
          Status::closed);
  REQUIRE(pair.near.feed("anything") == Status::closed);
  REQUIRE(pair.near.plain.empty());
  REQUIRE(pair.far.open(pair.near.write("mine")).at(0) == "mine\x17");
  std::string out;
  pair.near.layer->close_notify(out);
  REQUIRE(pair.far.open(out).size() == 1);
  REQUIRE(pair.near.layer->write("x"s, out) == Status::error);
  REQUIRE(pair.near.layer->error() == "protocol is shutdown"s);
}

TEST_CASE("record layer: more layers than contexts, of every suite and interleaved",
          "[tls][records][cache]") {
  std::vector<std::unique_ptr<Hostile>> pairs;
  for (std::size_t i = 0; i < 500; ++i) {
    pairs.push_back(std::make_unique<Hostile>(kAllSuites[i % 3]));
  }
  std::size_t step = 1;
  for (int turn = 0; turn < 3000; ++turn) {
    step = step * 48271 % 2147483647;
    Hostile& pair = *pairs[step % pairs.size()];
    if (turn % 50 == 0) {
      pairs[step % pairs.size()] = std::make_unique<Hostile>(kAllSuites[step % 3]);
    } else if (turn % 7 == 0) {
      pair.near.feed(pair.far.seal(22, kAnswerText));
      REQUIRE(pair.far.seals.update());
      pair.near.feed(pair.far.data("+"));
      const std::string answer = pair.near.write("!");
      pair.far.open(answer.substr(0, 27));
      REQUIRE(pair.far.opens.update());
      REQUIRE(pair.far.open(answer.substr(27)).at(0) == "!\x17");
    } else {
      const std::size_t before = pair.near.plain.size();
      pair.near.feed(pair.far.data("to the near end"));
      REQUIRE(pair.near.plain.substr(before) == "to the near end");
      REQUIRE(pair.far.open(pair.near.write("to the far end")).at(0) == "to the far end\x17");
    }
  }
}

}  // namespace fairlead::tls::rig
