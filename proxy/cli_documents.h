#pragma once
// Documents about the command line, made from the parser itself: no command or option is missing.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace fairlead::cli {

// What `fairlead reference | completion` were given; lives as long as the parser.
struct DocumentArguments {
  std::string format = "text";
  std::string shell;
  bool commands = false;
  std::function<int()> run;  // set by the command that was given; returns the exit code
};

// To be added last: `completion` and `reference --commands` know what was added before.
void add_document_commands(CLI::App& app, DocumentArguments& arguments);

// fairlead(1), in man(7)'s macros. `date` is shown as it is.
std::string commands_man(const CLI::App& app, std::string_view version, std::string_view date);

// What to source for completion in "bash", "zsh" or "fish"; "" for another shell.
std::string completion(const CLI::App& app, const std::string& shell);

// "-c", "--config"; empty for what has its place instead of a name.
std::vector<std::string> option_names(const CLI::Option& option);

// False for a flag.
bool takes_value(const CLI::Option& option);

}  // namespace fairlead::cli
