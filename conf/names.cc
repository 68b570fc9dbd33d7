#include "conf/names.h"

#include <algorithm>
#include <cstddef>

namespace fairlead::conf {
namespace {

constexpr std::size_t kHostBytes = 253;  // RFC 1035 2.3.4
constexpr std::size_t kLabelBytes = 63;  // RFC 1035 2.3.4
constexpr std::size_t kNameBytes = 64;
constexpr std::size_t kCompareBytes = 64;  // longer words are not compared: nobody means them

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_alnum(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > kLabelBytes) return false;
  if (label.front() == '-' || label.back() == '-') return false;
  return std::all_of(label.begin(), label.end(),
                     [](char c) { return is_alnum(c) || c == '-' || c == '_'; });
}

// Edits (insert, delete, replace, swap of neighbours) between two words.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = above[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replace});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

}  // namespace

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > kHostBytes) return false;
  std::string_view last;
  for (std::string_view rest = text;;) {
    const std::size_t dot = rest.find('.');
    last = rest.substr(0, dot);
    if (!is_label(last)) return false;
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  return !std::all_of(last.begin(), last.end(), is_digit);
}

std::string_view without_final_dot(std::string_view name) {
  if (name.size() > 1 && name.back() == '.') name.remove_suffix(1);
  return name;
}

bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return is_alnum(c) || kMarks.find(c) != std::string_view::npos;
  });
}

bool is_plain_name(std::string_view text) {
  constexpr std::string_view kMarks = "-_.:";
  return !text.empty() && text.size() <= kNameBytes &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return is_alnum(c) || kMarks.find(c) != std::string_view::npos;
         });
}

std::string nearest(std::string_view text, const std::vector<std::string>& known) {
  if (text.empty() || text.size() > kCompareBytes) return "";
  const std::string word = lower(text);
  std::string best;
  // A third of the word may be wrong: "orgins" is "origins", "tls" is not "log".
  std::size_t limit = std::max<std::size_t>(1, text.size() / 3);
  for (const std::string& candidate : known) {
    const std::size_t distance = edits(word, lower(candidate));
    if (distance > limit || distance >= candidate.size() || (!best.empty() && distance == limit)) {
      continue;
    }
    best = candidate;
    limit = distance;
  }
  return best;
}

std::string did_you_mean(std::string_view text, const std::vector<std::string>& known) {
  const std::string name = nearest(text, known);
  return name.empty() ? "" : " (did you mean \"" + name + "\"?)";
}

}  // namespace fairlead::conf
