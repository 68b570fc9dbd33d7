#include "proxy/observe/log_text.h"

#include <algorithm>
#include <cstring>

namespace fairlead::observe {
namespace {

constexpr std::size_t kMost = 2048;
constexpr std::size_t kLengths = LogText::kItems * sizeof(std::uint16_t);

std::uint16_t length_at(const char* text, std::size_t item) {
  std::uint16_t length = 0;
  std::memcpy(&length, text + item * sizeof length, sizeof length);
  return length;
}

}  // namespace

LogText::LogText(const Items& items) {
  std::size_t size = kLengths;
  for (std::string_view item : items) size += std::min(item.size(), kMost);
  text_.reset(new char[size]);
  char* end = text_.get() + kLengths;
  for (std::size_t i = 0; i < items.size(); ++i) {
    auto length = static_cast<std::uint16_t>(std::min(items[i].size(), kMost));
    std::memcpy(text_.get() + i * sizeof length, &length, sizeof length);
    end = std::copy_n(items[i].data(), length, end);
  }
}

std::string_view LogText::get(Item item) const {
  if (!text_) return {};
  const char* begin = text_.get() + kLengths;
  for (std::size_t i = 0; i < item; ++i) begin += length_at(text_.get(), i);
  return {begin, length_at(text_.get(), item)};
}

}  // namespace fairlead::observe
