#pragma once
// A directory of one test's own, gone with it.

#include <stdlib.h>

#include <filesystem>
#include <string>

namespace fairlead::test {

struct TempDirectory {
  TempDirectory()
      : path((std::filesystem::temp_directory_path() / "fairlead-test-XXXXXX").string()) {
    if (mkdtemp(path.data()) == nullptr) path.clear();
  }

  ~TempDirectory() {
    std::error_code ignored;
    if (!path.empty()) std::filesystem::remove_all(path, ignored);
  }

  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  std::string path;
};

}  // namespace fairlead::test
