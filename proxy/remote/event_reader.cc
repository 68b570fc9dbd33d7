#include "proxy/remote/event_reader.h"

#include <algorithm>
#include <utility>

namespace fairlead::remote {

// A line into line_, without its end. False: more has to come.
bool EventReader::next_line(std::string_view& bytes) {
  if (std::exchange(whole_, false)) line_.clear();
  const std::size_t end = std::min(bytes.find('\n'), bytes.size());
  if (line_.size() <= kLine) line_.append(bytes.substr(0, end));
  whole_ = end < bytes.size();
  bytes.remove_prefix(whole_ ? end + 1 : end);
  return whole_;
}

// True: it ended an event.
bool EventReader::take_line() {
  if (!line_.empty() && line_.back() == '\r') line_.pop_back();
  if (line_.empty()) {
    last_name_ = std::exchange(name_, {});
    last_data_ = std::exchange(data_, {});
    return !last_name_.empty() || !last_data_.empty();
  }
  if (line_.size() > kLine) return false;
  const std::size_t colon = std::min(line_.find(':'), line_.size());
  std::string_view value = std::string_view(line_).substr(std::min(colon + 1, line_.size()));
  if (value.starts_with(' ')) value.remove_prefix(1);
  const std::string_view field = std::string_view(line_).substr(0, colon);
  if (field == "event") name_ = value;
  if (field == "data") data_ = value;
  return false;
}

}  // namespace fairlead::remote
