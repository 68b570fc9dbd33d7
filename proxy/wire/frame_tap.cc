#include "proxy/wire/frame_tap.h"

#include <algorithm>

namespace fairlead::wire {

bool FrameTap::next(std::span<const char>& in) {
  for (;;) {
    if (open_ && (left_ == 0 || bytes_.size() >= most_)) {
      open_ = false;
      return true;
    }
    if (in.empty()) return false;
    if (left_ != 0) {
      pass_payload(in);
    } else if (!read_header(in)) {
      return false;
    }
  }
}

void FrameTap::pass_payload(std::span<const char>& in) {
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size()));
  if (open_) {
    const std::size_t kept = bytes_.size();
    bytes_.append(in.data(), std::min(n, most_ - kept));
    if (header_.masked) apply_mask(std::span(bytes_).subspan(kept), header_.mask, kept);
  }
  left_ -= n;
  in = in.subspan(n);
}

// False: it is not whole yet.
bool FrameTap::read_header(std::span<const char>& in) {
  const std::size_t before = start_size_;
  const std::size_t n = std::min(in.size(), start_.size() - before);
  std::copy_n(in.begin(), n, start_.begin() + static_cast<std::ptrdiff_t>(before));
  const std::size_t size = decode_header(std::span(start_).first(before + n), header_);
  if (size == 0) {
    start_size_ += n;
    in = in.subspan(n);
    return false;
  }
  in = in.subspan(size - before);
  start_size_ = 0;
  left_ = header_.length;
  bytes_.clear();
  open_ = true;
  return true;
}

}  // namespace fairlead::wire
