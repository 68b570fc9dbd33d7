#pragma once
// The files of a configuration, read and parsed: the one given and those it includes, with ${NAME}
// filled in.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "conf/report.h"

namespace fairlead::conf {

struct Document {
  Source source;
  Node root;  // kind invalid if the file could not be parsed
};

class Documents {
 public:
  Documents(const Environment& environment, const Files& files, Report& report)
      : environment_(environment), files_(files), report_(report) {}

  void add_file(const std::string& path);
  void add_text(std::string_view text, const std::string& name);

  const std::vector<std::unique_ptr<Document>>& all() const { return all_; }

  bool complete() const { return complete_; }  // every file could be read and parsed

 private:
  void parse(const std::string& name, std::string text);
  void include_all(const Document& from);
  void include(const Document& from, const Node& pattern);
  void include_file(const Document& from, const Node& pattern, const std::string& path);
  void expand(const Source& source, Node& node);
  bool expand_text(const Source& source, Node& node);

  const Environment& environment_;
  const Files& files_;
  Report& report_;
  std::vector<std::unique_ptr<Document>> all_;
  std::vector<std::string> open_;  // the files being read, outermost first
  bool complete_ = true;
};

}  // namespace fairlead::conf
