#pragma once
// HTTP/1.1 heads as values: views into the caller's buffer, which must outlive them.

#include <cstddef>
#include <string_view>
#include <vector>

namespace fairlead::wire {

struct Field {
  std::string_view name;   // as it came
  std::string_view value;  // without the white space around it
};

// ASCII case-insensitive equality (RFC 9110 5.1: field names; tokens of Connection, Upgrade).
bool same_letters(std::string_view a, std::string_view b);  // of the same length

inline bool iequals(std::string_view a, std::string_view b) {
  return a.size() == b.size() && same_letters(a, b);
}

// Whether a request may be sent again when its first answer was lost (RFC 9110 9.2.2).
bool is_idempotent(std::string_view method);

// A head's fields in their order.
class Fields {
 public:
  void add(std::string_view name, std::string_view value) { fields_.push_back({name, value}); }

  void clear() { fields_.clear(); }

  // Room for `count` without another allocation.
  void reserve(std::size_t count) { fields_.reserve(count); }

  // The first field of that name, or null.
  const Field* find(std::string_view name) const;
  // Its value, or "" where there is none.
  std::string_view get(std::string_view name) const;
  std::size_t count(std::string_view name) const;
  // Whether the comma-separated lists of all fields of that name hold the token, case-insensitively
  // (RFC 9110 5.6.1).
  bool has_token(std::string_view name, std::string_view token) const;

  auto begin() const { return fields_.begin(); }

  auto end() const { return fields_.end(); }

  std::size_t size() const { return fields_.size(); }

 private:
  std::vector<Field> fields_;
};

// Without the spaces and tabs around it.
constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Where the first of a list's items ends: at a comma outside quotes, or at the list's end.
constexpr std::size_t item_end(std::string_view list) {
  bool quoted = false;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const char c = list[i];
    if (c == '"') quoted = !quoted;
    if (c == '\\' && quoted) ++i;  // quoted-pair (RFC 9110 5.6.4)
    if (c == ',' && !quoted) return i;
  }
  return list.size();
}

// Calls f(item) for each non-empty item of a comma-separated list (RFC 9110 5.6.1), white space
// trimmed. Quoted strings are kept whole. f returns false to stop.
template <class F>
void for_each_item(std::string_view list, F f) {
  while (!list.empty()) {
    const std::size_t end = item_end(list);
    const std::string_view item = trim(list.substr(0, end));
    if (!item.empty() && !f(item)) return;
    list.remove_prefix(end == list.size() ? end : end + 1);
  }
}

// The value of the first parameter of that name in a query ("?a=1&b=2", the '?' optional), as it
// came: nothing is decoded. "" where there is none.
std::string_view query_value(std::string_view query, std::string_view name);

struct RequestHead {
  std::string_view method;
  std::string_view target;  // as it came: origin-form, or absolute-form, or "*"
  int minor_version = 1;    // HTTP/1.x
  Fields fields;

  std::string_view host;  // Host, or the absolute-form target's authority (RFC 9112 3.2.2)
  std::string_view path;  // of the target, begins with '/'; without the query. "*" has the path "/"
  std::string_view query;  // with its '?', or ""
};

struct ResponseHead {
  int minor_version = 1;    // 0, or 1 for all later ones
  int status = 0;           // 100 to 999
  std::string_view reason;  // it and the values may hold controls; HeadWriter writes none
  Fields fields;
  const char* flaw = nullptr;  // why it was refused, in a few words for the log
};

}  // namespace fairlead::wire
