#pragma once
// JSON text: strings whatever is in them (RFC 8259 section 7), and an object written field by
// field.

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::observe {

// With its quotes. What a terminal would act on is escaped (wire/visible_text.h), also where JSON
// does not ask for it: logs are looked at raw. Bytes that are not UTF-8 become \ufffd.
void append_json_string(std::string_view text, std::string& out);

// Appends ,"name":value pairs, for lines that are written in thousands a second: it grows `out` in
// steps and writes into that room. `out` must not be touched while one of these lives.
class JsonFields {
 public:
  explicit JsonFields(std::string& out) : out_(out), size_(out.size()) {}

  JsonFields(const JsonFields&) = delete;
  JsonFields& operator=(const JsonFields&) = delete;

  ~JsonFields() { out_.resize(size_); }

  // As it stands.
  void raw(std::string_view text) {
    std::memcpy(room(text.size()), text.data(), text.size());
    size_ += text.size();
  }

  // Left out when it is empty.
  void text(std::string_view name, std::string_view value);
  void number(std::string_view name, std::uint64_t value);
  // With three decimals; left out when it is absent.
  void millis(std::string_view name, std::optional<double> value);
  // 16 hexadecimal digits, in quotes.
  void hex(std::string_view name, std::uint64_t value);

 private:
  void key(std::string_view name);
  void digits(std::uint64_t value);

  char* room(std::size_t n) {
    if (out_.size() - size_ < n) out_.resize(size_ + n + kStep);
    return out_.data() + size_;
  }

  static constexpr std::size_t kStep = 1024;
  std::string& out_;
  std::size_t size_;  // what of `out_` is written
};

}  // namespace fairlead::observe
