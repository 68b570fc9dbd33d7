#include "conf/roff.h"

namespace fairlead::conf {

std::string roff(std::string_view text) {
  std::string result;
  bool line_start = true;
  for (const char c : text) {
    // A control line begins with one of these; \& is nothing, of no width.
    if (line_start && (c == '.' || c == '\'')) result += "\\&";
    line_start = c == '\n';
    switch (c) {
      case '\\':
        result += "\\e";
        break;
      case '-':  // else a hyphen, which cannot be pasted into a shell
        result += "\\-";
        break;
      case '\'':
        result += "\\(aq";
        break;
      case '`':
        result += "\\(ga";
        break;
      case '^':
        result += "\\(ha";
        break;
      case '~':
        result += "\\(ti";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string roff_argument(std::string_view text) {
  std::string result = "\"";
  for (const char c : roff(text)) {
    if (c == '"') {
      result += "\\(dq";
    } else {
      result += c == '\n' ? ' ' : c;
    }
  }
  return result + "\"";
}

}  // namespace fairlead::conf
