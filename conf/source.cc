#include "conf/source.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <utility>

namespace fairlead::conf {
namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";

// The length of the UTF-8 sequence at the front (RFC 3629 4), 0 if there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<std::uint8_t>(text[i]) : std::uint8_t{0};
  };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const std::uint8_t first = byte(0);
  const std::uint8_t second = byte(1);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool overlong = first == 0xE0 && second < 0xA0;
    const bool surrogate = first == 0xED && second > 0x9F;
    return tail(1) && tail(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool overlong = first == 0xF0 && second < 0x90;
    const bool beyond = first == 0xF4 && second > 0x8F;
    return tail(1) && tail(2) && tail(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

bool is_control(char c) {
  const auto byte = static_cast<std::uint8_t>(c);
  return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7F;
}

std::optional<TextProblem> inspect_bytes(std::string_view text) {
  std::size_t line_start = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (is_control(text[i])) return TextProblem{i, "a control character"};
    if (text[i] == '\r' && text.substr(i, 2) != "\r\n") {
      return TextProblem{i, "a carriage return that ends no line"};
    }
    if (text[i] == '\n') {
      line_start = i + 1;
    } else if (i - line_start >= kLineBytes) {
      return TextProblem{line_start, "the line is longer than 8 KiB"};
    }
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0) return TextProblem{i, "not UTF-8 text"};
    i += length;
  }
  return std::nullopt;
}

// Walks TOML's tokens without understanding them: enough to know brackets and dots from those in
// strings and comments. Where it errs, the text is no TOML and the parser stops at the same place.
class DepthScan {
 public:
  explicit DepthScan(std::string_view text) : text_(text) {}

  std::optional<TextProblem> run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == '"' || c == '\'') {
        skip_string(c);
      } else {
        structure(c);
        if (depth_ > kNesting) return TextProblem{at_, "nested too deeply"};
        if (dots_ >= kKeyParts) return TextProblem{at_, "a key of too many parts"};
        ++at_;
      }
    }
    return std::nullopt;
  }

 private:
  void structure(char c) {
    if (c == '.') {
      ++dots_;
      return;
    }
    constexpr std::string_view kSeparators = "\n=,{}[]";
    if (kSeparators.find(c) == std::string_view::npos) return;
    dots_ = 0;
    if (c == '[' || c == '{') ++depth_;
    if ((c == ']' || c == '}') && depth_ > 0) --depth_;
  }

  void skip_string(char quote) {
    const bool basic = quote == '"';
    const std::string three(3, quote);
    const bool multi = text_.substr(at_, 3) == three;
    at_ += multi ? 3 : 1;
    while (at_ < text_.size()) {
      if (basic && text_[at_] == '\\') {
        at_ += 2;
      } else if (multi ? text_.substr(at_, 3) == three : text_[at_] == quote) {
        at_ += multi ? 3 : 1;
        // Up to two quotes may stand before the closing three.
        while (multi && at_ < text_.size() && text_[at_] == quote) ++at_;
        return;
      } else if (!multi && text_[at_] == '\n') {
        return;
      } else {
        ++at_;
      }
    }
    at_ = text_.size();
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::size_t dots_ = 0;
};

}  // namespace

Source::Source(std::string name, std::string text, std::size_t order)
    : name_(std::move(name)), text_(std::move(text)), order_(order), starts_{0} {
  if (std::string_view(text_).substr(0, kBom.size()) == kBom) text_.erase(0, kBom.size());
  for (std::size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\n') starts_.push_back(i + 1);
  }
}

Position Source::position(std::size_t offset) const {
  const auto after = std::upper_bound(starts_.begin(), starts_.end(), offset);
  const std::size_t start = *std::prev(after);
  return {static_cast<unsigned>(after - starts_.begin()),
          static_cast<unsigned>(offset - start + 1)};
}

std::string Source::line(unsigned number) const {
  if (number == 0 || number > starts_.size()) return "";
  const std::size_t start = starts_[number - 1];
  std::string line = text_.substr(start, std::min(text_.find('\n', start), text_.size()) - start);
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return line;
}

std::size_t Source::offset(Position position) const {
  if (position.line == 0 || position.column == 0) return 0;
  const std::size_t line = std::min<std::size_t>(position.line, starts_.size());
  return std::min(starts_[line - 1] + position.column - 1, text_.size());
}

std::string Source::resolve(const std::string& path) const {
  const std::filesystem::path given(path);
  if (path.empty() || given.is_absolute()) return path;
  return (std::filesystem::path(name_).parent_path() / given).string();
}

std::optional<TextProblem> inspect(std::string_view text) {
  if (text.size() > kFileBytes) return TextProblem{0, "the file is larger than 4 MiB"};
  if (auto problem = inspect_bytes(text)) return problem;
  return DepthScan(text).run();
}

}  // namespace fairlead::conf
