#pragma once
// Files that are only in memory.

#include <fnmatch.h>

#include <map>
#include <string>
#include <vector>

#include "conf/files.h"
#include "conf/load.h"

namespace fairlead::conf::test {

using FileMap = std::map<std::string, std::string>;  // path -> bytes

class MemoryFiles : public Files {
 public:
  explicit MemoryFiles(FileMap files = {}) : files_(std::move(files)) {}

  void set(const std::string& path, const std::string& bytes) { files_[path] = bytes; }

  void set_world_readable(const std::string& path) { open_[path] = true; }

  Content read(const std::string& path, std::size_t limit) const override {
    const auto file = files_.find(path);
    if (file == files_.end()) return {std::nullopt, "No such file or directory", false};
    if (file->second.size() > limit) return {std::nullopt, "too large", false};
    return {file->second, "", open_.count(path) > 0};
  }

  std::string unreadable(const std::string& path) const override {
    return files_.count(path) > 0 ? "" : "No such file or directory";
  }

  std::vector<std::string> match(const std::string& pattern) const override {
    std::vector<std::string> paths;
    for (const auto& [path, bytes] : files_) {
      if (fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME) == 0) paths.push_back(path);
    }
    return paths;
  }

 private:
  FileMap files_;
  std::map<std::string, bool> open_;
};

inline std::optional<std::string> no_environment(std::string_view) {
  return std::nullopt;
}

// "f:3:1: message" for each problem, without the source lines.
inline std::vector<std::string> messages(const LoadResult& result) {
  std::vector<std::string> lines;
  for (const Problem& problem : result.problems) {
    lines.push_back(problem.text().substr(0, problem.text().find('\n')));
  }
  return lines;
}

}  // namespace fairlead::conf::test
