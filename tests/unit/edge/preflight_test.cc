#include "proxy/edge/preflight.h"

#include <sys/stat.h>

#include <fstream>

#include "tests/support/certificates.h"
#include "tests/support/temp_directory.h"

namespace fairlead::edge {
namespace {

using test::issue;
using test::Issued;

// Lines 1 to 8 are the least that is a configuration.
struct Scene : test::TempDirectory {
  Scene() {
    chmod(path.c_str(), 0755);
    machine.now = std::time(nullptr);
    machine.uid = 0;
    machine.addresses = {*conf::Ip::parse("192.0.2.9"), *conf::Ip::parse("fd00::9")};
    machine.find_user = [](const std::string& name) -> std::optional<Machine::User> {
      if (name != "someone") return std::nullopt;
      return Machine::User{54321, {54321}};
    };
  }

  std::string put(const std::string& name, const std::string& text, mode_t mode = 0644) const {
    std::ofstream(path + "/" + name, std::ios::binary) << text;
    chmod((path + "/" + name).c_str(), mode);
    return path + "/" + name;
  }

  conf::LoadResult load(const std::string& more, const std::string& address = "0.0.0.0:8080",
                        const std::string& server = "10.0.0.1:80",
                        Purpose purpose = Purpose::start) const {
    const std::string file = put(
        "f", "[[listener]]\naddress = \"" + address +
                 "\"\n[[route]]\nname = \"chat\"\nbackend = \"app\"\n[[backend]]\nname = \"app\"\n"
                 "servers = [\"" +
                 server + "\"]\n" + more);
    return preflight(conf::load_file(file, [](std::string_view) { return std::nullopt; }), purpose,
                     machine);
  }

  // Without the folder's name.
  std::string text(std::string all) const {
    for (std::size_t at = all.find(path); at != std::string::npos; at = all.find(path))
      all.replace(at, path.size() + 1, "");
    return all;
  }

  std::vector<std::string> problems(const conf::LoadResult& result) const {
    CHECK(result.config.has_value() == result.problems.empty());
    std::vector<std::string> out;
    for (const conf::Problem& one : result.problems) out.push_back(text(one.text()));
    return out;
  }

  std::vector<std::string> warnings(const conf::LoadResult& result) const {
    CHECK(result.problems.empty());
    std::vector<std::string> out;
    for (const std::string& one : result.warnings) out.push_back(text(one));
    return out;
  }

  Machine machine;
};

using Lines = std::vector<std::string>;

const std::string kTls =
    "[[listener]]\naddress = \"0.0.0.0:8443\"\n[listener.tls]\ncertificates = [{ cert = \"c\", key "
    "= \"k\" }]\n";

}  // namespace

TEST_CASE("preflight: nothing to say of what is right", "[edge][preflight]") {
  Scene scene;
  const Issued leaf = issue("leaf.test", nullptr);
  scene.put("c", leaf.cert_pem);
  scene.put("k", leaf.key_pem, 0600);
  const auto result = scene.load(kTls + "[log]\nfile = \"main.log\"\n");
  CHECK(scene.problems(result).empty());
  CHECK(scene.warnings(result).empty());
}

TEST_CASE("preflight: certificates and keys are judged at their place", "[edge][preflight]") {
  Scene scene;
  const Issued leaf = issue("leaf.test", nullptr);
  scene.put("c", leaf.cert_pem);
  scene.put("k", issue("other", nullptr).key_pem);
  CHECK(scene.problems(scene.load(kTls)) ==
        Lines{"f:12:37: listener 2: tls: certificates: key: \"k\": it does not belong to the "
              "certificate\n    certificates = [{ cert = \"c\", key = \"k\" }]"});
  // A reload says the same.
  CHECK(scene.problems(scene.load(kTls, "0.0.0.0:8080", "10.0.0.1:80", Purpose::reload)).size() ==
        1);
  scene.put("c", leaf.key_pem);
  scene.put("k", leaf.cert_pem);
  CHECK(scene.problems(scene.load(kTls)).size() == 2);
  scene.put("c", leaf.cert_pem);
  scene.put("k", leaf.key_pem);
  scene.machine.now += 85L * 86'400;
  const auto near = scene.warnings(scene.load(kTls));
  REQUIRE(near.size() == 1);
  CHECK(near[0].rfind("f:12:26: listener 2: tls: certificates: cert: \"c\" expires on ", 0) == 0);
  scene.machine.now += 10L * 86'400;
  const auto gone = scene.warnings(scene.load(kTls));
  REQUIRE(gone.size() == 1);
  CHECK(gone[0].find("\"c\" expired on ") != std::string::npos);
}

TEST_CASE("preflight: the user has to be there", "[edge][preflight]") {
  Scene scene;
  const std::string lines = "[server]\nuser = \"nobody-of-that-name\"\n";
  const std::string said = "f:10:8: server: user: user \"nobody-of-that-name\" does not exist";
  CHECK(scene.problems(scene.load(lines)) == Lines{said + "\n    user = \"nobody-of-that-name\""});
  CHECK(scene.warnings(scene.load(lines, "0.0.0.0:8080", "10.0.0.1:80", Purpose::reload)) ==
        Lines{said});
}

TEST_CASE("preflight: what the user cannot read later is warned of", "[edge][preflight]") {
  Scene scene;
  const Issued leaf = issue("leaf.test", nullptr);
  scene.put("c", leaf.cert_pem);
  scene.put("k", leaf.key_pem, 0600);
  const std::string lines = kTls + "[server]\nuser = \"someone\"\n";
  CHECK(scene.warnings(scene.load(lines)) ==
        Lines{"f:12:37: listener 2: tls: certificates: key: \"k\" cannot be read by the user "
              "\"someone\": a reload will fail"});
  scene.put("k", leaf.key_pem, 0644);
  CHECK(scene.warnings(scene.load(lines)).empty());
  // Who is no root stays who it is.
  scene.put("k", leaf.key_pem, 0600);
  scene.machine.uid = 1000;
  CHECK(scene.warnings(scene.load(lines)).empty());
  scene.machine.uid = 0;
  scene.put("k", leaf.key_pem, 0644);
  const auto logs = scene.warnings(scene.load(lines + "[log]\naccess = \"access.log\"\n"));
  REQUIRE(logs.size() == 1);
  CHECK(logs[0].rfind("f:16:10: log: access: the folder ", 0) == 0);
}

TEST_CASE("preflight: log folders have to be there", "[edge][preflight]") {
  Scene scene;
  const auto missing = scene.load("[log]\naccess = \"none/access.log\"\nfile = \"none/log\"\n");
  CHECK(scene.problems(missing).size() == 2);
  CHECK(scene.problems(missing)[0].rfind(
            "f:11:8: log: file: cannot open the log file none/log: No such file or directory", 0) ==
        0);
  CHECK(scene.problems(missing)[1].rfind(
            "f:10:10: log: access: cannot open the log file none/access.log: ", 0) == 0);
  mkdir((scene.path + "/folder").c_str(), 0755);
  CHECK(scene.problems(scene.load("[log]\nfile = \"folder\"\n"))[0].find("Is a directory") !=
        std::string::npos);
  CHECK(scene.problems(scene.load("[log]\nfile = \"f/log\"\n")).size() == 1);
  CHECK(scene.problems(scene.load("[log]\nfile = \"folder/log\"\naccess = \"off\"\n")).empty());
}

TEST_CASE("preflight: a server at an address of this machine is its listener",
          "[edge][preflight]") {
  Scene scene;
  CHECK(scene.problems(scene.load("", "0.0.0.0:8080", "192.0.2.9:8080")) ==
        Lines{"f:8:12: backend \"app\": servers: \"192.0.2.9:8080\" is the listener "
              "\"0.0.0.0:8080\" of this Fairlead: each request would come back to it\n"
              "    servers = [\"192.0.2.9:8080\"]"});
  CHECK(scene.problems(scene.load("", "[::]:8080", "[fd00::9]:8080")).size() == 1);
  CHECK(scene.problems(scene.load("", "0.0.0.0:8080", "192.0.2.8:8080")).empty());
  CHECK(scene.problems(scene.load("", "0.0.0.0:8080", "192.0.2.9:8081")).empty());
}

}  // namespace fairlead::edge
