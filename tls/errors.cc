#include "tls/errors.h"

#include <openssl/err.h>

#include <array>
#include <system_error>

namespace fairlead::tls {

namespace {

std::string describe(unsigned long code, const char* data, int flags) {
  std::string text;
  if (ERR_SYSTEM_ERROR(code)) {
    text = std::generic_category().message(ERR_GET_REASON(code));
  } else if (const char* reason = ERR_reason_error_string(code)) {
    text = reason;
  } else {
    std::array<char, 128> raw{};
    ERR_error_string_n(code, raw.data(), raw.size());
    text = raw.data();
  }
  if ((flags & ERR_TXT_STRING) != 0 && data != nullptr && *data != '\0') {
    text += " (" + std::string(data) + ")";
  }
  return text;
}

}  // namespace

std::string take_errors() {
  std::string line;
  std::string last;
  const char* data = nullptr;
  int flags = 0;
  while (const unsigned long code = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags)) {
    std::string text = describe(code, data, flags);
    if (text == last) continue;  // a layer that repeats the one below says nothing new
    if (!line.empty()) line += "; ";
    line += text;
    last = std::move(text);
  }
  // Data may quote a file or a peer: one line, whatever it holds.
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return line;
}

}  // namespace fairlead::tls
