#include "proxy/observe/json_value.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "proxy/wire/frame.h"

namespace fairlead::observe {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

void append_utf8(std::uint32_t code, std::string& out) {
  const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xc0 | (code >> 6));
  } else {
    if (code < 0x10000) {
      put(0xe0 | (code >> 12));
    } else {
      put(0xf0 | (code >> 18));
      put(0x80 | ((code >> 12) & 0x3f));
    }
    put(0x80 | ((code >> 6) & 0x3f));
  }
  put(0x80 | (code & 0x3f));
}

class Parser {
 public:
  explicit Parser(std::string_view text) : left_(text) {}

  bool whole(JsonValue& out) {
    if (!value(out, 0)) return false;
    space();
    return left_.empty();
  }

 private:
  void space() {
    const auto end = left_.find_first_not_of(" \t\r\n");
    left_.remove_prefix(std::min(end, left_.size()));
  }

  bool take(char c) {
    if (left_.empty() || left_.front() != c) return false;
    left_.remove_prefix(1);
    return true;
  }

  bool word(std::string_view wanted) {
    if (left_.substr(0, wanted.size()) != wanted) return false;
    left_.remove_prefix(wanted.size());
    return true;
  }

  bool value(JsonValue& out, unsigned depth) {
    using Kind = JsonValue::Kind;
    space();
    if (left_.empty()) return false;
    switch (left_.front()) {
      case '{':
        out.kind = Kind::object;
        return depth < kJsonDepth && object(out, depth + 1);
      case '[':
        out.kind = Kind::array;
        return depth < kJsonDepth && array(out, depth + 1);
      case '"':
        out.kind = Kind::string;
        return string(out.text);
      case 't':
      case 'f':
        out.kind = Kind::boolean;
        out.boolean = left_.front() == 't';
        return word(out.boolean ? "true" : "false");
      case 'n':
        return word("null");
      default:
        out.kind = Kind::number;
        return number(out.number);
    }
  }

  bool object(JsonValue& out, unsigned depth) {
    take('{');
    space();
    if (take('}')) return true;
    do {
      std::string name;
      space();
      if (out.members.size() == kJsonMembers) return false;
      if (!string(name) || out.find(name) != nullptr) return false;
      space();
      if (!take(':')) return false;
      out.members.push_back({std::move(name), {}});
      if (!value(out.members.back().value, depth)) return false;
      space();
    } while (take(','));
    return take('}');
  }

  bool array(JsonValue& out, unsigned depth) {
    take('[');
    space();
    if (take(']')) return true;
    do {
      out.items.emplace_back();
      if (!value(out.items.back(), depth)) return false;
      space();
    } while (take(','));
    return take(']');
  }

  // RFC 8259 section 6: no leading zero, no plus, digits on both sides of the point.
  bool number(double& out) {
    std::size_t at = 0;
    const auto digits = [&] {
      const std::size_t from = at;
      while (at < left_.size() && is_digit(left_[at])) ++at;
      return at - from;
    };
    const auto next_is = [&](std::string_view any) {
      return at < left_.size() && any.find(left_[at]) != std::string_view::npos;
    };
    if (next_is("-")) ++at;
    const bool zero = next_is("0");
    const std::size_t whole = digits();
    if (whole == 0 || (zero && whole > 1)) return false;
    if (next_is(".") && (++at, digits() == 0)) return false;
    if (next_is("eE")) {
      ++at;
      if (next_is("+-")) ++at;
      if (digits() == 0) return false;
    }
    const auto result = std::from_chars(left_.data(), left_.data() + at, out);
    left_.remove_prefix(at);
    return result.ec == std::errc();
  }

  bool string(std::string& out) {
    if (!take('"')) return false;
    for (;;) {
      if (left_.empty()) return false;
      const char c = left_.front();
      left_.remove_prefix(1);
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\') {
        out += c;
      } else if (!escape(out)) {
        return false;
      }
    }
  }

  bool escape(std::string& out) {
    static constexpr std::string_view kNames = "\"\\/bfnrt";
    static constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
    if (left_.empty()) return false;
    const char c = left_.front();
    left_.remove_prefix(1);
    if (const auto at = kNames.find(c); at != std::string_view::npos) {
      out += kMeant[at];
      return true;
    }
    std::uint32_t code = 0;
    if (c != 'u' || !four_digits(code)) return false;
    const bool high = code >= 0xd800 && code < 0xdc00;
    if (high) {
      std::uint32_t low = 0;
      if (!word("\\u") || !four_digits(low) || low < 0xdc00 || low > 0xdfff) return false;
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code >= 0xdc00 && code <= 0xdfff) {
      return false;
    }
    append_utf8(code, out);
    return true;
  }

  bool four_digits(std::uint32_t& out) {
    if (left_.size() < 4) return false;
    const auto result = std::from_chars(left_.data(), left_.data() + 4, out, 16);
    if (result.ptr != left_.data() + 4) return false;
    left_.remove_prefix(4);
    return true;
  }

  std::string_view left_;
};

}  // namespace

const JsonValue* JsonValue::find(std::string_view name) const {
  const auto member = std::find_if(members.begin(), members.end(),
                                   [name](const auto& one) { return one.name == name; });
  return member == members.end() ? nullptr : &member->value;
}

std::string JsonValue::string_of(std::string_view name) const {
  const JsonValue* member = find(name);
  return member != nullptr ? member->text : std::string();
}

double JsonValue::number_of(std::string_view name) const {
  const JsonValue* member = find(name);
  return member != nullptr ? member->number : 0;
}

bool JsonValue::flag_of(std::string_view name) const {
  const JsonValue* member = find(name);
  return member != nullptr && member->boolean;
}

const std::vector<JsonValue>& JsonValue::items_of(std::string_view name) const {
  static const std::vector<JsonValue> kNone;
  const JsonValue* member = find(name);
  return member != nullptr ? member->items : kNone;
}

std::optional<JsonValue> parse_json(std::string_view text) {
  JsonValue value;
  if (!wire::is_utf8(text) || !Parser(text).whole(value)) return std::nullopt;
  return value;
}

}  // namespace fairlead::observe
