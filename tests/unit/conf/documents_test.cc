#include "conf/documents.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/support/catch.h"
#include "tests/unit/conf/memory_files.h"

using namespace fairlead::conf;
using fairlead::conf::test::FileMap;
using fairlead::conf::test::MemoryFiles;
using fairlead::conf::test::messages;
using fairlead::conf::test::no_environment;

namespace {

const std::string kListener = "[[listener]]\naddress = \"127.0.0.1:0\"\n";
const std::string kRoute = "[[route]]\nbackend = \"b\"\n";
const std::string kBackend = "[[backend]]\nname = \"b\"\nservers = [\"a:1\"]\n";
const std::string kAll = kListener + kRoute + kBackend;

std::optional<std::string> environment(std::string_view name) {
  if (name == "HOST") return "app.example.com";
  if (name == "EMPTY") return "";
  if (name == "DOLLAR") return "${HOST}";
  if (name == "LINES") return "a\nb";
  return std::nullopt;
}

LoadResult load(const MemoryFiles& files) {
  return load_file("etc/main.toml", no_environment, files);
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("documents: ${NAME} is the environment variable", "[conf][documents]") {
  struct Row {
    const char* text;
    const char* file;
  };

  const auto row =
      GENERATE(values<Row>({{"/${HOST}", "/app.example.com"},
                            {"/${HOST}/${HOST}.log", "/app.example.com/app.example.com.log"},
                            {"/${EMPTY}x", "/x"},
                            {"/$$", "/$"},
                            {"/$${HOST}", "/${HOST}"},
                            {"/$HOST", "/$HOST"},
                            {"/x$", "/x$"},
                            {"/$}", "/$}"},
                            {"/${DOLLAR}", "/${HOST}"}}));
  CAPTURE(row.text);
  const auto result =
      load_text(kAll + "[log]\nfile = '" + row.text + "'\n", "f", environment, MemoryFiles());
  REQUIRE(messages(result) == Lines{});
  REQUIRE(result.config->log.file == row.file);
}

TEST_CASE("documents: what is no variable", "[conf][documents]") {
  const auto problem = [](const std::string& text) {
    return messages(
        load_text(kAll + "[log]\nfile = '" + text + "'\n", "f", environment, MemoryFiles()));
  };
  REQUIRE(problem("/x/${NOPE}/${HOST}") ==
          Lines{"f:9:12: the environment variable \"NOPE\" is not set"});
  const std::string odd = "\"${\" without a variable's name and \"}\" (\"$$\" is a plain \"$\")";
  REQUIRE(problem("/${HOST") == Lines{"f:9:10: " + odd});
  REQUIRE(problem("/${}") == Lines{"f:9:10: " + odd});
  REQUIRE(problem("/${1A}") == Lines{"f:9:10: " + odd});
  REQUIRE(problem("/${A-B}") == Lines{"f:9:10: " + odd});
  REQUIRE(problem("/${LINES}") == Lines{"f:9:8: a string with a control character"});
}

TEST_CASE("documents: included files add to the lists, in order", "[conf][documents]") {
  const MemoryFiles files(
      FileMap{{"etc/main.toml",
               "include = [\"conf.d/*.toml\", \"/x/one.toml\"]\n" + kListener + kRoute + kBackend},
              {"etc/conf.d/20.toml", "[[backend]]\nname = \"c20\"\nservers = [\"a:1\"]\n"},
              {"etc/conf.d/10.toml", "[[backend]]\nname = \"c10\"\nservers = [\"a:1\"]\n"},
              {"etc/conf.d/30.conf", "not read"},
              {"/x/one.toml", "include = [\"two.toml\"]\n[log]\nfile = \"one.log\"\n"},
              {"/x/two.toml", "[timeouts]\nconnect = \"7s\"\n"}});
  const LoadResult result = load(files);
  REQUIRE(messages(result) == Lines{});
  REQUIRE(result.config->backends.size() == 3);
  REQUIRE(result.config->backends[0].name == "b");
  REQUIRE(result.config->backends[1].name == "c10");
  REQUIRE(result.config->backends[2].name == "c20");
  REQUIRE(result.config->log.file == "/x/one.log");
  REQUIRE(result.config->routes[0].timeouts.connect == Millis{7000});
}

TEST_CASE("documents: paths are relative to the file that names them", "[conf][documents]") {
  const MemoryFiles files(
      FileMap{{"etc/main.toml", "include = [\"sub/tls.toml\"]\n" + kRoute + kBackend},
              {"etc/sub/tls.toml",
               kListener + "tls.certificates = [{ cert = \"c.pem\", key = \"../k.pem\" }]\n"},
              {"etc/sub/c.pem", ""},
              {"etc/sub/../k.pem", ""}});
  const LoadResult result = load(files);
  REQUIRE(messages(result) == Lines{});
  REQUIRE(result.config->listeners[0].tls->certificates[0].cert == "etc/sub/c.pem");
}

TEST_CASE("documents: a pattern may match nothing, a file must be there", "[conf][documents]") {
  REQUIRE(messages(load(MemoryFiles(
              FileMap{{"etc/main.toml", "include = [\"d/*.toml\"]\n" + kAll}}))) == Lines{});
  REQUIRE(
      messages(load(MemoryFiles(FileMap{{"etc/main.toml", "include = [\"x.toml\"]\n" + kAll}}))) ==
      Lines{"etc/main.toml:1:12: include: \"etc/x.toml\" cannot be read: No such file or "
            "directory"});
  REQUIRE(messages(load(MemoryFiles())) ==
          Lines{"etc/main.toml: cannot read the file: No such file or directory"});
}

TEST_CASE("documents: a table of the process is set once", "[conf][documents]") {
  const MemoryFiles files(FileMap{{"etc/main.toml", "include = [\"a.toml\"]\n" + kAll + "[log]\n"},
                                  {"etc/a.toml", "\n[log]\nlevel = \"loud\"\n"}});
  REQUIRE(messages(load(files)) ==
          Lines{"etc/a.toml:2:2: [log] is set twice (before: etc/main.toml:9)",
                "etc/a.toml:3:9: log: level: must be \"trace\", \"debug\", \"info\", \"warn\" or "
                "\"error\", not \"loud\""});
}

TEST_CASE("documents: circles and repetitions are refused", "[conf][documents]") {
  REQUIRE(
      messages(load(MemoryFiles(FileMap{{"etc/main.toml", "include = [\"./main.toml\"]\n"}}))) ==
      Lines{"etc/main.toml:1:12: include: \"etc/./main.toml\" includes itself"});
  REQUIRE(messages(load(MemoryFiles(FileMap{{"etc/main.toml", "include = [\"a.toml\"]\n" + kAll},
                                            {"etc/a.toml", "include = [\"b.toml\"]\n"},
                                            {"etc/b.toml", "include = [\"a.toml\"]\n"}}))) ==
          Lines{"etc/b.toml:1:12: include: \"etc/a.toml\" includes itself"});
  REQUIRE(messages(load(
              MemoryFiles(FileMap{{"etc/main.toml", "include = [\"a.toml\", \"*.toml\"]\n" + kAll},
                                  {"etc/a.toml", ""}}))) ==
          Lines{"etc/main.toml:1:22: include: \"etc/a.toml\" is included twice",
                "etc/main.toml:1:22: include: \"etc/main.toml\" includes itself"});
}

TEST_CASE("documents: includes end somewhere", "[conf][documents]") {
  MemoryFiles files(FileMap{{"etc/main.toml", "include = [\"0.toml\"]\n" + kAll}});
  const auto chain = [&](int last) {
    for (int i = 0; i < last; ++i) {
      files.set("etc/" + std::to_string(i) + ".toml",
                "include = [\"" + std::to_string(i + 1) + ".toml\"]\n");
    }
    files.set("etc/" + std::to_string(last) + ".toml", "");
    return messages(load(files));
  };
  REQUIRE(chain(6) == Lines{});
  REQUIRE(chain(7) == Lines{});
  REQUIRE(chain(8) == Lines{"etc/7.toml:1:12: include: \"etc/8.toml\" is one file too many"});
}

TEST_CASE("documents: what include may be", "[conf][documents]") {
  const auto problem = [](const std::string& line) {
    return messages(load(MemoryFiles(FileMap{{"etc/main.toml", line + "\n" + kAll}})));
  };
  REQUIRE(problem("include = \"a.toml\"") ==
          Lines{"etc/main.toml:1:11: include: must be a list, in brackets, not a string"});
  REQUIRE(problem("include = [1]") ==
          Lines{"etc/main.toml:1:12: include: must be a list of strings, not an integer"});
  REQUIRE(problem("include = []") == Lines{});
}

TEST_CASE("documents: problems of several files come in the order of reading",
          "[conf][documents]") {
  const MemoryFiles files(FileMap{{"etc/main.toml", "include = [\"a.toml\"]\nx = 1\n" + kAll},
                                  {"etc/a.toml", "y = 1\n[[route]]\nbackend = \"c\"\n"}});
  REQUIRE(messages(load(files)) == Lines{"etc/main.toml:2:1: unknown key \"x\"",
                                         "etc/a.toml:1:1: unknown key \"y\"",
                                         "etc/a.toml:3:11: route 2: backend: there is no backend "
                                         "\"c\""});
}

TEST_CASE("documents: a broken included file does not make others look wrong",
          "[conf][documents]") {
  const MemoryFiles files(FileMap{{"etc/main.toml", "include = [\"a.toml\"]\n" + kRoute},
                                  {"etc/a.toml", "[[backend]\n"}});
  REQUIRE(messages(load(files)) ==
          Lines{"etc/a.toml:1:1: TOML: neither a key nor a [table] header"});
}

TEST_CASE("documents: files on disk, by pattern and by name", "[conf][documents]") {
  std::string folder = (std::filesystem::temp_directory_path() / "fairlead-conf-XXXXXX").string();
  REQUIRE(mkdtemp(folder.data()) != nullptr);
  const auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(folder + "/" + name) << text;
  };
  write("main.toml", "include = [\"b*.toml\"]\n[[listener]]\naddress = \"unix:/run/f\"\n" + kRoute);
  write("b1.toml", kBackend + "sticky.secret_file = \"secret\"\n");
  write("secret", "0123456789abcdef\n");
  std::filesystem::permissions(folder + "/secret", std::filesystem::perms::owner_read);
  const LoadResult good = load_file(folder + "/main.toml");
  CHECK(messages(good) == Lines{});
  CHECK(good.hints.empty());
  std::filesystem::permissions(folder + "/secret", std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  CHECK(load_file(folder + "/main.toml").hints.size() == 1);
  CHECK(messages(load_file(folder)) == Lines{folder + ": cannot read the file: Is a directory"});
  CHECK(messages(load_file(folder + "/gone")) ==
        Lines{folder + "/gone: cannot read the file: No such file or directory"});
  const DiskFiles disk;
  CHECK(disk.read(folder + "/secret", 17).bytes.has_value());
  CHECK(disk.read(folder + "/secret", 16).error == "larger than 16 bytes");
  std::filesystem::remove_all(folder);
}
