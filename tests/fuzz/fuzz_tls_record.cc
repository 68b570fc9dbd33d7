// TLS records from a peer that holds the right keys: byte 0 chooses the suite, the role and how
// many records a key lasts, byte 1 the size of the pieces, byte 2 the room of a read. The rest is
// what the peer does, step by step: records whose plaintext is the input's (type and padding
// included), with a byte changed or not, bytes in the clear, key updates, and writes of our own.
//  - Whole or in pieces, with little room or much, the same data comes out, the same answers, the
//    same end.
//  - What the peer sent as data in good order is what was read, up to the first offence.
//  - All that we send opens under the right keys, in order.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tls/record_layer.h"

using namespace fairlead::tls;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

// Takes bytes off the input's front; zeros behind its end.
struct Input {
  std::string_view left;

  std::uint8_t byte() {
    if (left.empty()) return 0;
    const auto first = static_cast<std::uint8_t>(left.front());
    left.remove_prefix(1);
    return first;
  }

  std::string text(std::size_t size) {
    const std::string taken(left.substr(0, size));
    left.remove_prefix(taken.size());
    return taken;
  }
};

RecordLayer::Start start_of(std::uint8_t choice) {
  RecordLayer::Start start;
  start.suite = static_cast<Suite>(choice % kSuites);
  start.role = (choice & 0x80U) != 0 ? RecordLayer::Role::client : RecordLayer::Role::server;
  start.update_after = (choice >> 3U) % 16 + 1U;
  start.read_secret.fill(1);
  start.write_secret.fill(2);
  return start;
}

// What a layer made of it all.
struct Outcome {
  std::string plain;
  std::string sent;
  Status last = Status::want_input;
};

// The wire of one run: bytes that come, and where we write in between.
struct Step {
  std::string bytes;
  std::size_t writes = 0;  // bytes of data we write behind them
};

class Peer {
 public:
  explicit Peer(const RecordLayer::Start& start) {
    const std::size_t size = secret_size(start.suite);
    require(seals_.start(start.suite, Use::seal, std::span(start.read_secret).first(size), 0));
  }

  std::vector<Step> script(Input& input) {
    std::vector<Step> steps;
    while (!input.left.empty() && steps.size() < 200) steps.push_back(step(input));
    return steps;
  }

  const std::string& good() const { return good_; }

 private:
  Step step(Input& input) {
    const std::uint8_t what = input.byte();
    const std::size_t size = input.byte();
    switch (what % 8) {
      case 0:
        return {input.text(size)};
      case 1:
        return {"", size * 200};
      case 2:
        return {data(input.text(size))};
      case 3:  // a large one
        return {data(std::string(size * 64, 'l'))};
      case 4: {  // a key update, whole and right
        std::string record = seal(22, std::string{24, 0, 0, 1, static_cast<char>(size & 1U)});
        require(seals_.update());
        return {std::move(record)};
      }
      case 5: {  // padding
        const std::string content = input.text(input.byte());
        return {seal(0, content + std::string(size * 70, '\0'))};
      }
      case 6: {  // damaged
        std::string record = seal(23, input.text(size));
        char& victim = record[input.byte() % record.size()];
        victim = static_cast<char>(victim ^ (1 << input.byte() % 8));
        spoiled_ = true;
        return {std::move(record)};
      }
      default: {  // any plaintext of any type
        const std::uint8_t type = input.byte();
        return {seal(type, input.text(size))};
      }
    }
  }

  std::string data(const std::string& text) {
    if (!spoiled_) good_ += text;
    return seal(23, text, true);
  }

  // Anything but data may be an offence: from there on `good_` is a bound no more.
  std::string seal(std::uint8_t type, const std::string& content, bool plain_data = false) {
    if (!plain_data && type != 22) spoiled_ = true;
    std::string record;
    require(seals_.seal(type, content, record));
    return record;
  }

  Direction seals_;
  std::string good_;
  bool spoiled_ = false;
};

class Run {
 public:
  Run(const RecordLayer::Start& start, std::size_t piece, std::size_t room)
      : piece_(piece), room_(room) {
    require(layer_.start(start));
  }

  Outcome play(const std::vector<Step>& steps) {
    for (const Step& step : steps) {
      feed(step.bytes);
      if (outcome_.last == Status::error) break;
      if (step.writes > 0) {
        require(layer_.write(std::string(step.writes, 'w'), outcome_.sent) == Status::ok);
      }
    }
    if (outcome_.last == Status::error) {
      require(layer_.error()[0] != '\0' && !layer_.has_pending());
    } else {
      layer_.close_notify(outcome_.sent);
    }
    return std::move(outcome_);
  }

 private:
  void feed(std::string_view bytes) {
    while (!bytes.empty() && outcome_.last != Status::error) {
      std::span<const char> in(bytes.substr(0, piece_));
      bytes.remove_prefix(in.size());
      do {
        read(in);
      } while (outcome_.last == Status::ok && (!in.empty() || layer_.has_pending()));
      if (outcome_.last != Status::error) require(in.empty());
    }
  }

  // `room_` 0: as much as is ever needed, as TlsStream has.
  void read(std::span<const char>& in) {
    const std::size_t room = room_ == 0 ? in.size() + RecordLayer::kMaxPlain : room_;
    if (to_.size() != room) std::vector<char>(room).swap(to_);
    std::size_t n = 0;
    outcome_.last = layer_.read(in, to_, n, outcome_.sent);
    require(n <= room);
    if (outcome_.last == Status::ok) require(n > 0);
    if (outcome_.last == Status::want_input) require(n == 0 && in.empty());
    if (room_ == 0) require(!layer_.has_pending());
    outcome_.plain.append(to_.data(), n);
  }

  std::size_t piece_;
  std::size_t room_;
  RecordLayer layer_;
  std::vector<char> to_;
  Outcome outcome_;
};

// Follows our own key updates; the last record may be an alert.
void open_all(const RecordLayer::Start& start, std::string_view sent) {
  Direction opens;
  const std::size_t size = secret_size(start.suite);
  require(opens.start(start.suite, Use::open, std::span(start.write_secret).first(size), 0));
  while (!sent.empty()) {
    require(sent.size() >= 5);
    const std::size_t record = std::size_t{5} + static_cast<unsigned char>(sent[3]) * 256U +
                               static_cast<unsigned char>(sent[4]);
    require(record <= sent.size() && record <= 5 + RecordLayer::kMaxCipher);
    std::string inner(record - Direction::kHeader - Direction::kTag, '\0');
    require(opens.sequence() <= start.update_after);
    require(opens.open(sent.substr(0, record), inner.data()));
    sent.remove_prefix(record);
    if (inner.back() == 22) require(inner.size() == 6 && opens.update());
    if (inner.back() == 21) require(inner.size() == 3 && sent.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  Input input{{reinterpret_cast<const char*>(data), size}};
  const RecordLayer::Start start = start_of(input.byte());
  const std::size_t piece = input.byte() % 64 + 1U;
  const std::size_t room = input.byte() * std::size_t{8} + 1;
  Peer peer(start);
  const std::vector<Step> steps = peer.script(input);

  const Outcome whole = Run(start, std::string::npos, 0).play(steps);
  const Outcome pieces = Run(start, piece, 0).play(steps);
  const Outcome narrow = Run(start, piece, room).play(steps);
  for (const Outcome* other : {&pieces, &narrow}) {
    require(other->plain == whole.plain && other->sent == whole.sent);
    require((other->last == Status::error) == (whole.last == Status::error));
    require((other->last == Status::closed) == (whole.last == Status::closed));
  }
  open_all(start, whole.sent);
  if (whole.plain.size() >= peer.good().size()) {
    require(whole.plain.compare(0, peer.good().size(), peer.good()) == 0);
  } else {
    require(peer.good().compare(0, whole.plain.size(), whole.plain) == 0);
  }
  return 0;
}
