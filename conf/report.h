#pragma once
// What loading has to say, and the place from which a value speaks.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conf/files.h"
#include "conf/load.h"
#include "conf/source.h"
#include "conf/table.h"

namespace fairlead::conf {

class Report {
 public:
  void problem(const Source& source, std::size_t offset, std::string message);
  void file_problem(const Source& source, std::string message);  // the file as a whole
  void hint(const Source& source, std::size_t offset, const std::string& message);

  void file(Places::File file) { files_.push_back(std::move(file)); }

  bool clean() const { return entries_.empty(); }

  std::vector<Problem> problems() const;  // in file order
  std::vector<std::string> hints() const;

  const std::vector<Places::File>& files() const { return files_; }

 private:
  struct Entry {
    std::size_t order;
    Problem problem;
  };

  static std::vector<Problem> sorted(std::vector<Entry> entries);
  static void add(std::vector<Entry>& to, const Source& source, Problem problem);

  std::vector<Entry> entries_;
  std::vector<Entry> hints_;
  std::vector<Places::File> files_;
};

// Where a value is read: its file, and the names in front of it in messages: `route "chat":
// websocket: max_frame: `.
class Scope {
 public:
  Scope(Report& report, const Source& source, const Files& files)
      : report_(&report), source_(&source), files_(&files) {}

  Scope inside(const std::string& name) const;

  void problem(const Node& value, const std::string& message) const;
  void problem_at_key(const Node& value, const std::string& message) const;
  void hint(const Node& value, const std::string& message) const;
  // "must be a string, not an integer". Silent for what was reported before.
  void wrong_kind(const Node& value, std::string_view wanted) const;

  const Files& files() const { return *files_; }

  const Source& source() const { return *source_; }

  // "fairlead.toml:12"
  std::string place(const Node& value) const;
  // The same in full, for later. Its messages begin as those of problem() do.
  Place place_of(const Node& value) const;
  // The value names a file that is read.
  void names_file(const Node& value, const std::string& path) const;

 private:
  Report* report_;
  const Source* source_;
  const Files* files_;
  std::string context_;
};

}  // namespace fairlead::conf
