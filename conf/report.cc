#include "conf/report.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace fairlead::conf {
namespace {

constexpr std::size_t kProblems = 1000;   // more are not read by anyone
constexpr std::size_t kShownBytes = 200;  // of a source line

std::string place_text(const Problem& problem) {
  if (problem.line == 0) return problem.file + ": ";
  return problem.file + ":" + std::to_string(problem.line) + ":" + std::to_string(problem.column) +
         ": ";
}

std::string shown_line(const Source& source, unsigned number) {
  std::string line = source.line(number);
  if (line.size() > kShownBytes) line = line.substr(0, kShownBytes) + "...";
  return line;
}

}  // namespace

Problem Place::problem(const std::string& message) const {
  return {file, line, column, context + message, source_line};
}

std::string Place::hint(const std::string& message) const {
  return place_text({file, line, column, "", ""}) + context + message;
}

std::string Problem::text() const {
  const std::string message_line = place_text(*this) + message;
  return source_line.empty() ? message_line : message_line + "\n    " + source_line;
}

void Report::add(std::vector<Entry>& to, const Source& source, Problem problem) {
  if (to.size() < kProblems) to.push_back({source.order(), std::move(problem)});
}

std::vector<Problem> Report::sorted(std::vector<Entry> entries) {
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.order, a.problem.line, a.problem.column) <
           std::tie(b.order, b.problem.line, b.problem.column);
  });
  std::vector<Problem> result;
  for (Entry& entry : entries) result.push_back(std::move(entry.problem));
  return result;
}

void Report::problem(const Source& source, std::size_t offset, std::string message) {
  const Position at = source.position(offset);
  add(entries_, source,
      {source.name(), at.line, at.column, std::move(message), shown_line(source, at.line)});
}

void Report::file_problem(const Source& source, std::string message) {
  add(entries_, source, {source.name(), 0, 0, std::move(message), ""});
}

void Report::hint(const Source& source, std::size_t offset, const std::string& message) {
  const Position at = source.position(offset);
  add(hints_, source, {source.name(), at.line, at.column, message, ""});
}

std::vector<Problem> Report::problems() const {
  return sorted(entries_);
}

std::vector<std::string> Report::hints() const {
  std::vector<std::string> result;
  for (const Problem& hint : sorted(hints_)) result.push_back(hint.text());
  return result;
}

Scope Scope::inside(const std::string& name) const {
  Scope scope = *this;
  scope.context_ += name + ": ";
  return scope;
}

void Scope::problem(const Node& value, const std::string& message) const {
  report_->problem(*source_, value.offset, context_ + message);
}

void Scope::problem_at_key(const Node& value, const std::string& message) const {
  report_->problem(*source_, value.key_offset, context_ + message);
}

void Scope::hint(const Node& value, const std::string& message) const {
  report_->hint(*source_, value.offset, context_ + message);
}

void Scope::wrong_kind(const Node& value, std::string_view wanted) const {
  if (value.kind == Node::Kind::invalid) return;
  problem(value, "must be " + std::string(wanted) + ", not " + kind_name(value.kind));
}

std::string Scope::place(const Node& value) const {
  return source_->name() + ":" + std::to_string(source_->position(value.offset).line);
}

Place Scope::place_of(const Node& value) const {
  const Position at = source_->position(value.offset);
  return {source_->name(), at.line, at.column, context_, shown_line(*source_, at.line)};
}

void Scope::names_file(const Node& value, const std::string& path) const {
  report_->file({path, place_of(value)});
}

}  // namespace fairlead::conf
