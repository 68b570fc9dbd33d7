#include "proxy/cli_documents.h"

#include <CLI/CLI.hpp>

#include <iostream>

#include "conf/json_schema.h"
#include "conf/reference.h"

namespace fairlead::cli {
namespace {

constexpr int kUsage = 2;

// Of the configuration: what the formats are called, and what they print.
std::string reference(const std::string& format) {
  if (format == "man") return conf::reference_man(FAIRLEAD_VERSION, FAIRLEAD_DATE);
  if (format == "json-schema") return conf::json_schema();
  return conf::reference_text();
}

int print_reference(const CLI::App& app, const DocumentArguments& arguments) {
  if (!arguments.commands) {
    std::cout << reference(arguments.format);
  } else if (arguments.format == "man") {
    std::cout << commands_man(app, FAIRLEAD_VERSION, FAIRLEAD_DATE);
  } else if (arguments.format == "text") {
    for (const CLI::App* command : app.get_subcommands({})) {
      std::cout << command->help("fairlead") << "\n";
    }
  } else {
    std::cerr << "fairlead: --commands goes with --format text or man\n";
    return kUsage;
  }
  return 0;
}

}  // namespace

void add_document_commands(CLI::App& app, DocumentArguments& arguments) {
  CLI::App* reference = app.add_subcommand("reference", "Print the configuration reference");
  reference->add_option("--format", arguments.format, "How: man is fairlead.toml(5)")
      ->check(CLI::IsMember({"text", "man", "json-schema"}))
      ->capture_default_str();
  reference->add_flag("--commands", arguments.commands,
                      "Of the command line instead: text, or fairlead(1)");
  reference->callback([&app, &arguments] {
    arguments.run = [&app, &arguments] { return print_reference(app, arguments); };
  });
  CLI::App* completion = app.add_subcommand("completion", "Print a shell's completion script");
  completion->add_option("shell", arguments.shell, "The shell")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->required();
  completion->callback([&app, &arguments] {
    arguments.run = [&app, &arguments] {
      std::cout << cli::completion(app, arguments.shell);
      return 0;
    };
  });
}

}  // namespace fairlead::cli
