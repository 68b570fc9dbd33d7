#include "conf/reference.h"

#include <algorithm>
#include <string_view>

#include "conf/schema.h"

namespace fairlead::conf {
namespace {

constexpr std::size_t kWidth = 79;

constexpr std::string_view kIntroduction =
    R"(The configuration, in TOML. Every key, its type and its default.

  duration   "250ms" "30s" "5m" "1h30m"
  size       "512B" "64KiB" "1MiB" "1GiB", or a plain number of bytes
  rate       "50/s" "600/m" "3600/h" (bytes: "1MiB/s"): a token bucket that
             holds one second's worth, or { rate = "50/s", burst = 100 }
  address    "0.0.0.0:443" "[::]:443" "localhost:3000" "unix:/run/app.sock"
  file       a path, relative to the file it stands in

"${NAME}" in a string is the environment variable NAME, "$$" is a plain "$".
)";

// Words in lines of kWidth, each indented.
std::string wrapped(std::string_view text, std::size_t indent) {
  std::string result;
  std::string line;
  const auto flush = [&] {
    if (!line.empty()) result += std::string(indent, ' ') + line + "\n";
    line.clear();
  };
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (indent + line.size() + 1 + word.size() > kWidth) flush();
    if (!line.empty()) line += ' ';
    line += word;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  flush();
  return result;
}

// key = default        (type)
//     doc
std::string entry_text(const Described& entry, std::size_t indent) {
  const std::string value = entry.fallback.empty() ? "required" : entry.fallback;
  const bool shown = value.find(' ') == std::string::npos || value.front() == '[';
  const std::string head =
      shown && value != "required" ? entry.key + " = " + value : entry.key + ": " + value;
  return wrapped(head + "   (" + entry.type + ")", indent) + wrapped(entry.doc, indent + 4);
}

bool is_table(const Described& entry) {
  return entry.type == "table";
}

std::string table_text(const std::vector<Described>& entries, const std::string& path) {
  std::string result;
  for (const Described& entry : entries) {
    if (is_table(entry)) continue;
    result += entry_text(entry, 2);
    // The tables a list is made of.
    for (const Described& part : entry.nested) result += entry_text(part, 6);
  }
  for (const Described& entry : entries) {
    if (!is_table(entry)) continue;
    const std::string name = path.empty() ? entry.key : path + "." + entry.key;
    result += "\n[" + name + "]\n" + wrapped(entry.doc, 2);
    result += table_text(entry.nested, name);
  }
  return result;
}

}  // namespace

std::string reference_text() {
  std::string result(kIntroduction);
  for (const Described& section : file_description()) {
    if (section.nested.empty()) {
      result += "\n" + entry_text(section, 0);
      continue;
    }
    const bool many = section.type == "list";
    result += "\n" + (many ? "[[" + section.key + "]]" : "[" + section.key + "]") + "\n";
    result += wrapped(section.doc, 2) + table_text(section.nested, section.key);
  }
  return result;
}

}  // namespace fairlead::conf
