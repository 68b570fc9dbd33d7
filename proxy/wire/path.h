#pragma once
// The path of a request as a route is chosen by it: however it is spelled, in one way (RFC 3986
// 6.2.2). What is forwarded stays as it came.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::wire {

// A path in its normal form: unreserved characters decoded (6.2.2.2) and other escapes in capitals
// (6.2.2.1), dot segments removed (6.2.2.3), repeated slashes merged, a backslash taken for a
// slash, as browsers and some servers do. Escapes are decoded once; an escaped slash or backslash
// stays one and parts no segments.
class NormalPath {
 public:
  // `path` begins with '/' and outlives this. Nothing is allocated where it is normal already.
  explicit NormalPath(std::string_view path);

  // False: servers do not read it in one way. It has an escape that is none, or that of NUL; or a
  // ".." behind an empty segment ("/a//../b": "/a/b" or "/b"?) or together with a backslash
  // ("/a/b\..\c").
  bool ok() const { return ok_; }

  // Begins with '/'; meaningless unless ok().
  std::string_view text() const { return own_.empty() ? given_ : std::string_view(own_); }

 private:
  bool append(std::string_view segment);
  bool go_up(std::size_t& names);

  std::string_view given_;
  std::string own_;  // "" where the given one is normal
  bool ok_ = true;
};

// Whether the prefix, which ends at a segment boundary, takes the path; both are normal.
bool has_path_prefix(std::string_view path, std::string_view prefix);

// What a path has behind a prefix, as it came: from the first segment on that the prefix does not
// stand for, without the slashes in front of it; "" where there is none. So "/" and it are never
// taken for an authority ("//host"). Neither needs to be normal. Nothing: the prefix does not take
// the path.
std::optional<std::string_view> behind_prefix(std::string_view path, std::string_view prefix);

}  // namespace fairlead::wire
