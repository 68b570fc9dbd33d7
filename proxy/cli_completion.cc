// Completion for shells.

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "proxy/cli_documents.h"

namespace fairlead::cli {
namespace {

using Words = std::vector<std::string>;

// What may follow an option, or stand in a place: `choices`, or anything, a file most likely.
struct Value {
  bool is_there = false;
  Words choices;
};

// A check against a list of words shows as TEXT:{a,b}.
Value value_of(const CLI::Option& option) {
  Value value;
  value.is_there = takes_value(option);
  const std::string type = option.get_type_name();
  const std::size_t open = type.find('{');
  const std::size_t close = type.find('}');
  if (open == std::string::npos || close == std::string::npos) return value;
  std::string word;
  for (std::size_t i = open + 1; i <= close; ++i) {
    if (type[i] == ',' || type[i] == '}') {
      value.choices.push_back(std::move(word));
      word.clear();
    } else {
      word += type[i];
    }
  }
  return value;
}

std::string joined(const Words& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

// In single quotes, for any of the three shells.
std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'') {
      result += R"('\'')";
    } else {
      result += c;
    }
  }
  return result + "'";
}

std::vector<const CLI::App*> commands(const CLI::App& app) {
  return app.get_subcommands({});
}

// The options' names and the choices of what has its place.
Words first_words(const CLI::App& command) {
  Words words;
  for (const CLI::Option* option : command.get_options()) {
    const Words more = option->get_positional() ? value_of(*option).choices : option_names(*option);
    words.insert(words.end(), more.begin(), more.end());
  }
  return words;
}

// The cases of "COMMAND OPTION", each with the words that may follow.
std::string bash_values(const CLI::App& command) {
  std::string result;
  for (const CLI::Option* option : command.get_options()) {
    const Value value = value_of(*option);
    if (!value.is_there || option->get_positional()) continue;
    Words cases;
    for (const std::string& name : option_names(*option)) {
      cases.push_back("\"" + command.get_name() + " " + name + "\"");
    }
    const std::string then =
        value.choices.empty() ? "compopt -o default" : "words=\"" + joined(value.choices) + "\"";
    result += fmt::format("    {}) {} ;;\n", fmt::join(cases, " | "), then);
  }
  return result;
}

std::string bash(const CLI::App& app) {
  std::string values;
  std::string first;
  Words names;
  for (const CLI::App* command : commands(app)) {
    names.push_back(command->get_name());
    values += bash_values(*command);
    first += fmt::format("        {}) words=\"{}\" ;;\n", command->get_name(),
                         joined(first_words(*command)));
  }
  return fmt::format(R"(# bash completion for fairlead, printed by `fairlead completion bash`
_fairlead() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}} command="" words="" word
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    [[ $word == -* ]] || {{
      command=$word
      break
    }}
  done
  case "$command $previous" in
{}    *)
      case $command in
        "") words="{} {}" ;;
{}      esac
      ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}}
complete -F _fairlead fairlead
)",
                     values, joined(names), joined(first_words(app)), first);
}

// One line of _arguments: '(-c --config)'{-c,--config}'[what it is]:value:_files'.
std::string zsh_option(const CLI::Option& option) {
  const Value value = value_of(option);
  const std::string action = value.choices.empty() ? "_files" : "(" + joined(value.choices) + ")";
  if (option.get_positional()) {
    return quoted(":" + option.get_name(true) + ":" + (value.choices.empty() ? "" : action));
  }
  std::string what;
  for (const char c : option.get_description()) {
    if (c == '[' || c == ']' || c == '\\') what += '\\';  // would end the explanation
    what += c;
  }
  const Words names = option_names(option);
  const std::string head =
      names.size() == 1 ? names.front() : fmt::format("{{{}}}", fmt::join(names, ","));
  return head + quoted("[" + what + "]" + (value.is_there ? ":value:" + action : ""));
}

std::string zsh(const CLI::App& app) {
  std::string described;
  std::string cases;
  for (const CLI::App* command : commands(app)) {
    described +=
        fmt::format("    {}\n", quoted(command->get_name() + ":" + command->get_description()));
    cases += fmt::format("    {})\n      _arguments", command->get_name());
    for (const CLI::Option* option : command->get_options()) {
      cases += " \\\n        " + zsh_option(*option);
    }
    cases += "\n      ;;\n";
  }
  return fmt::format(R"(#compdef fairlead
# zsh completion for fairlead, printed by `fairlead completion zsh`
_fairlead() {{
  local -a commands
  commands=(
{}  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
{}  esac
}}
_fairlead "$@"
)",
                     described, cases);
}

std::string fish_option(const std::string& command, const CLI::Option& option) {
  const Value value = value_of(option);
  std::string line =
      fmt::format("complete -c fairlead -n '__fish_seen_subcommand_from {}'", command);
  for (const std::string& name : option.get_snames()) line += " -s " + name;
  for (const std::string& name : option.get_lnames()) line += " -l " + name;
  if (value.is_there && !option.get_positional()) line += value.choices.empty() ? " -r -F" : " -x";
  if (!value.choices.empty()) line += " -a " + quoted(joined(value.choices));
  return line + " -d " + quoted(option.get_description()) + "\n";
}

std::string fish(const CLI::App& app) {
  std::string result =
      "# fish completion for fairlead, printed by `fairlead completion fish`\n"
      "complete -c fairlead -f\n";
  for (const CLI::App* command : commands(app)) {
    result += fmt::format("complete -c fairlead -n __fish_use_subcommand -a {} -d {}\n",
                          command->get_name(), quoted(command->get_description()));
  }
  for (const CLI::App* command : commands(app)) {
    for (const CLI::Option* option : command->get_options()) {
      const bool free_text = option->get_positional() && value_of(*option).choices.empty();
      if (!free_text) result += fish_option(command->get_name(), *option);
    }
  }
  return result;
}

}  // namespace

bool takes_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0;
}

std::vector<std::string> option_names(const CLI::Option& option) {
  Words names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

std::string completion(const CLI::App& app, const std::string& shell) {
  if (shell == "bash") return bash(app);
  if (shell == "zsh") return zsh(app);
  return shell == "fish" ? fish(app) : "";
}

}  // namespace fairlead::cli
