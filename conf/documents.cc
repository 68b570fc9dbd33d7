#include "conf/documents.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <utility>

#include "conf/values.h"

namespace fairlead::conf {
namespace {

constexpr std::size_t kIncludeDepth = 8;
constexpr std::size_t kFiles = 256;

// "conf.d/../a.toml" and "a.toml" are the same file. Links are not followed: the depth bounds what
// they can do.
std::string normal(const std::string& path) {
  return std::filesystem::path(path).lexically_normal().string();
}

bool is_variable_name(std::string_view name) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !name.empty() && !digit(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || digit(c); });
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<std::uint8_t>(c);
    return byte < 0x20 || byte == 0x7F;
  });
}

struct Expansion {
  std::string text;
  std::string problem;  // what is wrong with it
  std::string at;       // the part that is wrong
};

// "${NAME}" and "$$"; any other "$" is itself. What a variable holds is not expanded again.
Expansion expand_variables(std::string_view text, const Environment& environment) {
  Expansion result;
  while (!text.empty()) {
    const std::size_t dollar = std::min(text.find('$'), text.size());
    result.text += text.substr(0, dollar);
    text.remove_prefix(dollar);
    if (text.size() < 2 || (text[1] != '{' && text[1] != '$')) {
      result.text += text.substr(0, 1);
      text.remove_prefix(std::min<std::size_t>(text.size(), 1));
      continue;
    }
    if (text[1] == '$') {
      result.text += '$';
      text.remove_prefix(2);
      continue;
    }
    const std::size_t end = text.find('}');
    const std::string_view name = end == std::string_view::npos ? "" : text.substr(2, end - 2);
    if (!is_variable_name(name)) {
      return {"", "\"${\" without a variable's name and \"}\" (\"$$\" is a plain \"$\")", "${"};
    }
    const auto value = environment ? environment(name) : std::nullopt;
    const std::string whole(text.substr(0, end + 1));
    if (!value) return {"", "the environment variable " + in_quotes(name) + " is not set", whole};
    result.text += *value;
    text.remove_prefix(whole.size());
  }
  return result;
}

}  // namespace

void Documents::add_text(std::string_view text, const std::string& name) {
  parse(name, std::string(text));
}

void Documents::add_file(const std::string& path) {
  Files::Content content = files_.read(path, kFileBytes);
  if (content.bytes) {
    parse(path, std::move(*content.bytes));
    return;
  }
  complete_ = false;
  report_.file_problem(Source(path, "", all_.size()), "cannot read the file: " + content.error);
}

void Documents::parse(const std::string& name, std::string text) {
  all_.push_back(
      std::make_unique<Document>(Document{Source(name, std::move(text), all_.size()), {}}));
  Document& document = *all_.back();
  ParseResult parsed = parse_toml(document.source);
  if (parsed.problem) {
    report_.problem(document.source, parsed.problem->offset, parsed.problem->message);
    complete_ = false;
    return;
  }
  document.root = std::move(*parsed.root);
  expand(document.source, document.root);
  open_.push_back(normal(name));
  include_all(document);
  open_.pop_back();
}

void Documents::include_all(const Document& from) {
  const Node* list = from.root.find("include");
  if (list == nullptr) return;
  const Scope scope = Scope(report_, from.source, files_).inside("include");
  if (list->kind != Node::Kind::array) {
    scope.wrong_kind(*list, "a list, in brackets");
    return;
  }
  for (const Node& pattern : list->children) {
    if (pattern.kind == Node::Kind::string) {
      include(from, pattern);
    } else {
      scope.wrong_kind(pattern, "a list of strings");
    }
  }
}

void Documents::include(const Document& from, const Node& pattern) {
  const std::string path = from.source.resolve(pattern.text);
  // A pattern may match nothing yet; a file that is named must be there.
  if (pattern.text.find_first_of("*?[") == std::string::npos) {
    include_file(from, pattern, path);
    return;
  }
  const std::vector<std::string> matches = files_.match(path);
  if (matches.empty()) {
    Scope(report_, from.source, files_)
        .hint(pattern, "include: " + in_quotes(path) + " matches no file");
  }
  for (const std::string& match : matches) include_file(from, pattern, match);
}

void Documents::include_file(const Document& from, const Node& pattern, const std::string& path) {
  const Scope scope = Scope(report_, from.source, files_).inside("include");
  const std::string name = normal(path);
  const auto same = [&](const std::unique_ptr<Document>& document) {
    return normal(document->source.name()) == name;
  };
  std::string problem;
  if (std::find(open_.begin(), open_.end(), name) != open_.end()) {
    problem = "includes itself";
  } else if (std::any_of(all_.begin(), all_.end(), same)) {
    problem = "is included twice";
  } else if (open_.size() > kIncludeDepth || all_.size() >= kFiles) {
    problem = "is one file too many";
  }
  if (problem.empty()) {
    Files::Content content = files_.read(path, kFileBytes);
    if (content.bytes) {
      parse(path, std::move(*content.bytes));
      return;
    }
    problem = "cannot be read: " + content.error;
  }
  complete_ = false;
  scope.problem(pattern, in_quotes(path) + " " + problem);
}

// A string that cannot be expanded becomes invalid: it is reported here and nowhere else.
bool Documents::expand_text(const Source& source, Node& node) {
  Expansion expansion = expand_variables(node.text, environment_);
  if (expansion.problem.empty()) {
    node.text = std::move(expansion.text);
    if (!has_control(node.text)) return true;
    report_.problem(source, node.offset, "a string with a control character");
    return false;
  }
  const std::size_t at = source.text().find(expansion.at, node.offset);
  report_.problem(source, at == std::string::npos ? node.offset : at, expansion.problem);
  return false;
}

void Documents::expand(const Source& source, Node& node) {
  if (node.kind == Node::Kind::string && !expand_text(source, node)) {
    node.kind = Node::Kind::invalid;
  }
  for (Node& child : node.children) expand(source, child);
}

}  // namespace fairlead::conf
