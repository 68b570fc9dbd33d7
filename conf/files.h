#pragma once
// What loading may ask of the file system. Tests and the fuzzer give files from memory.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::conf {

class Files {
 public:
  struct Content {
    std::optional<std::string> bytes;  // nothing: `error` says why
    std::string error;                 // "No such file or directory"
    bool world_readable = false;
  };

  Files() = default;
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;
  virtual ~Files() = default;

  // A file's bytes; more than `limit` is an error.
  virtual Content read(const std::string& path, std::size_t limit) const = 0;
  // Why a file cannot be read; "" if it can.
  virtual std::string unreadable(const std::string& path) const = 0;
  // The paths a pattern of * ? [] matches, sorted.
  virtual std::vector<std::string> match(const std::string& pattern) const = 0;
};

class DiskFiles : public Files {
 public:
  Content read(const std::string& path, std::size_t limit) const override;
  std::string unreadable(const std::string& path) const override;
  std::vector<std::string> match(const std::string& pattern) const override;
};

}  // namespace fairlead::conf
