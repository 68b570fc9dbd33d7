#include "conf/reference.h"
#include "conf/roff.h"
#include "conf/schema.h"

namespace fairlead::conf {
namespace {

constexpr std::string_view kBefore = R"(.SH NAME
fairlead.toml \- configuration of the fairlead proxy
.SH DESCRIPTION
.BR fairlead (1)
reads its configuration from a TOML file,
.I /etc/fairlead/fairlead.toml
unless it is told otherwise.
.B fairlead check
names every mistake in it with line and column; an unknown key is one.
A file of one
.BR [[listener]] ,
one
.B [[route]]
and one
.B [[backend]]
is enough.
.PP
Where an entry below gives a value, it is the default.
.SS Values
.TP
.B duration
"250ms", "30s", "5m", "1h30m".
.TP
.B size
"512B", "64KiB", "1MiB", "1GiB", or a plain number of bytes.
.TP
.B rate
"50/s", "600/m", "3600/h" (bytes: "1MiB/s"): a token bucket that holds one second\(aqs worth, or
{ rate = "50/s", burst = 100 }.
.TP
.B address
"0.0.0.0:443", "[::]:443", "localhost:3000", "unix:/run/app.sock".
.TP
.B file
A path, relative to the file it stands in.
.PP
"${NAME}" in a string is the environment variable NAME, "$$" is a plain "$".
.SH KEYS
)";

constexpr std::string_view kAfter = R"(.SH EXAMPLES
.nf
.RS
[[listener]]
address = "0.0.0.0:80"

[[route]]
backend = "app"

[[backend]]
name = "app"
servers = ["10.0.0.11:3000", "10.0.0.12:3000"]
.RE
.fi
.PP
.I /usr/share/doc/fairlead/examples/example.toml
names every key.
.SH FILES
.TP
.I /etc/fairlead/fairlead.toml
The configuration.
.TP
.I /usr/share/fairlead/fairlead.schema.json
The same reference as a JSON Schema, for editors.
.SH SEE ALSO
.BR fairlead (1)
.PP
The manual,
.IR /usr/share/doc/fairlead/manual.md ,
says how things behave.
)";

std::string sentence(const std::string& text) {
  return roff(text) + (text.empty() || text.back() == '.' ? "" : ".") + "\n";
}

// .TP, the key with its default, and below what it is.
std::string entry_man(const Described& entry) {
  std::string result = ".TP\n.BR " + roff_argument(entry.key);
  const std::string& value = entry.fallback;
  if (entry.required) {
    result += " " + roff_argument(" (required)");
  } else if (!value.empty()) {
    result += " " + roff_argument(has_literal_fallback(entry) ? " = " + value : " (" + value + ")");
  }
  return result + "\n" + sentence(entry.doc) + ".br\n" + sentence("Type: " + entry.type);
}

bool is_table(const Described& entry) {
  return entry.type == "table";
}

std::string table_man(const std::vector<Described>& entries, const std::string& path) {
  std::string result;
  for (const Described& entry : entries) {
    if (is_table(entry)) continue;
    result += entry_man(entry);
    if (entry.nested.empty()) continue;
    // The tables a list is made of.
    result += ".RS\n";
    for (const Described& part : entry.nested) result += entry_man(part);
    result += ".RE\n";
  }
  for (const Described& entry : entries) {
    if (!is_table(entry)) continue;
    const std::string name = path + "." + entry.key;
    result += ".SS " + roff_argument("[" + name + "]") + "\n" + sentence(entry.doc);
    result += table_man(entry.nested, name);
  }
  return result;
}

}  // namespace

std::string reference_man(std::string_view version, std::string_view date) {
  std::string result = ".TH FAIRLEAD.TOML 5 " + std::string(date) + " " +
                       roff_argument("Fairlead " + std::string(version)) + "\n";
  result += kBefore;
  for (const Described& section : file_description()) {
    if (section.nested.empty()) {
      result += entry_man(section);
      continue;
    }
    const bool many = section.type == "list";
    result += ".SS " + roff_argument(many ? "[[" + section.key + "]]" : "[" + section.key + "]") +
              "\n" + sentence(section.doc) + table_man(section.nested, section.key);
  }
  return result + std::string(kAfter);
}

}  // namespace fairlead::conf
