#pragma once
// Bytes of a connection that were read and not yet used. They are used up from the front, and what
// is left is not moved each time: a connection that sends many small requests ahead costs what its
// bytes cost, not their square.

#include <cstddef>
#include <string>
#include <string_view>

namespace fairlead::edge {

class ReadAhead {
 public:
  bool empty() const { return used_ == bytes_.size(); }

  std::size_t size() const { return bytes_.size() - used_; }

  // Valid until the next call that changes something.
  std::string_view view() const { return std::string_view(bytes_).substr(used_); }

  void append(std::string_view more) {
    if (more.empty()) return;
    if (used_ > bytes_.size() / 2) compact();
    bytes_.append(more);
  }

  // Takes `n` bytes, at most size(), off the front. An empty one owns no memory.
  void consume(std::size_t n) {
    used_ += n;
    if (empty()) clear();
  }

  void clear() {
    bytes_ = {};
    used_ = 0;
  }

  // The bytes as a string, for a caller who takes from its front itself.
  std::string& text() {
    compact();
    return bytes_;
  }

 private:
  void compact() {
    bytes_.erase(0, used_);
    used_ = 0;
  }

  std::string bytes_;
  std::size_t used_ = 0;  // of bytes_, from the front
};

}  // namespace fairlead::edge
