#pragma once
// TOML -> Config. All problems are found, not only the first; nothing is thrown.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/config.h"

namespace fairlead::conf {

struct Problem {
  std::string file;
  unsigned line = 0;        // 1-based; 0: the file as a whole
  unsigned column = 0;      // 1-based
  std::string message;      // route "chat": unknown key "orgins" (did you mean "origins"?)
  std::string source_line;  // the offending line, empty where there is none

  // "fairlead.toml:12:9: MESSAGE" and, if there is one, the source line under it.
  std::string text() const;
};

// Where a value stands, for whoever judges it by more than the text: by what is in a file, by this
// machine.
struct Place {
  std::string file;
  unsigned line = 0;    // 1-based; 0: the value is not in any file
  unsigned column = 0;  // 1-based
  std::string context;  // listener "1": tls: certificates: cert:
  std::string source_line;

  bool known() const { return line != 0; }

  Problem problem(const std::string& message) const;
  std::string hint(const std::string& message) const;  // one line
};

// The values that have to be judged so. The lists are as long as those of the configuration.
struct Places {
  struct Certificate {
    Place cert;
    Place key;
  };

  // A file that a start and each reload read.
  struct File {
    std::string path;
    Place place;
  };

  std::vector<Place> listeners;                        // their addresses
  std::vector<std::vector<Certificate>> certificates;  // by listener
  std::vector<std::vector<Place>> servers;             // by backend
  Place user;
  Place log_file;
  Place log_access;
  std::vector<File> files;
};

struct LoadResult {
  std::optional<Config> config;       // present exactly when problems is empty
  std::vector<Problem> problems;      // in file order
  std::vector<std::string> hints;     // worth knowing, not wrong: shown by `check`
  std::vector<std::string> warnings;  // will fail later, such as a certificate that expires: logged
  Places places;                      // with `config`
};

// Looks up an environment variable for ${NAME}; tests give their own.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

class Files;  // conf/files.h: the disk, unless a test gives its own

// Loads a file, its includes and the files it names (secret_file is read; certificates only
// opened). Relative paths are relative to the file that names them.
LoadResult load_file(const std::string& path, const Environment& environment);
LoadResult load_file(const std::string& path, const Environment& environment, const Files& files);
LoadResult load_file(const std::string& path);  // with the process's environment

// The same for text in memory; `name` stands for the file in problems, relative paths are relative
// to the working directory.
LoadResult load_text(std::string_view text, const std::string& name,
                     const Environment& environment);
LoadResult load_text(std::string_view text, const std::string& name, const Environment& environment,
                     const Files& files);

}  // namespace fairlead::conf
