#pragma once
// Server-sent events out of bytes (HTML 9.2.6), as far as Fairlead sends them: an event has a name
// and one line of data.

#include <cstddef>
#include <string>
#include <string_view>

namespace fairlead::remote {

class EventReader {
 public:
  static constexpr std::size_t kLine = 64 * 1024;  // longer ones are dropped

  // Calls f(name, data) for each event that is whole; f returns false to stop. However the stream
  // is cut, the calls are the same. False: f did.
  template <class F>
  bool feed(std::string_view bytes, F f) {
    while (next_line(bytes)) {
      if (take_line() && !f(std::string_view(last_name_), std::string_view(last_data_)))
        return false;
    }
    return true;
  }

 private:
  bool next_line(std::string_view& bytes);
  bool take_line();

  std::string line_;
  std::string name_;
  std::string data_;
  std::string last_name_;
  std::string last_data_;
  bool whole_ = true;  // the line before had ended
};

}  // namespace fairlead::remote
