#include "proxy/edge/preflight.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "conf/own_listener.h"
#include "proxy/net/hosts_file.h"
#include "proxy/net/socket.h"
#include "tls/certificate_check.h"
#include "tls/context.h"

namespace fairlead::edge {
namespace {

using std::filesystem::path;

std::string quoted(const std::string& text) {
  return "\"" + text + "\"";
}

path folder_of(const std::string& file) {
  const path folder = path(file).parent_path();
  return folder.empty() ? "." : folder;
}

// By the mode alone: access lists are not looked at.
bool allows(const Machine::User& user, const std::string& what, mode_t bits) {
  struct stat status {};

  if (user.id == 0 || stat(what.c_str(), &status) != 0) return true;
  const auto has = [&](unsigned shift) { return (status.st_mode >> shift & bits) == bits; };
  if (status.st_uid == user.id) return has(6);
  const auto& groups = user.groups;
  const bool in_group = std::find(groups.begin(), groups.end(), status.st_gid) != groups.end();
  return has(in_group ? 3 : 0);
}

// Through all folders on the way.
bool may_read(const Machine::User& user, const std::string& file) {
  std::error_code error;
  path folder = std::filesystem::absolute(file, error).parent_path();
  for (; !folder.empty(); folder = folder.parent_path()) {
    if (!allows(user, folder.string(), S_IXOTH)) return false;
    if (folder == folder.root_path()) break;
  }
  return allows(user, file, S_IROTH);
}

// "" or why a log cannot be opened there, in the words of the log itself.
std::string log_problem(const std::string& file) {
  const auto because = [&](int error) {
    return "cannot open the log file " + file + ": " + net::error_text(error);
  };

  struct stat status {};

  if (stat(file.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) return because(EISDIR);
    return faccessat(AT_FDCWD, file.c_str(), W_OK, AT_EACCESS) == 0 ? "" : because(errno);
  }
  const std::string folder = folder_of(file).string();
  if (stat(folder.c_str(), &status) != 0) return because(errno);
  if (!S_ISDIR(status.st_mode)) return because(ENOTDIR);
  return faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) == 0 ? "" : because(errno);
}

class Preflight {
 public:
  Preflight(conf::LoadResult& loaded, Purpose purpose, const Machine& machine)
      : loaded_(loaded),
        config_(*loaded.config),
        places_(loaded.places),
        purpose_(purpose),
        machine_(machine) {}

  void run() {
    for (std::size_t i = 0; i < config_.listeners.size(); ++i) check_certificates(i);
    for (std::size_t i = 0; i < config_.backends.size(); ++i) check_servers(i);
    check_user();
    check_log(config_.log.file, "stderr", places_.log_file);
    check_log(config_.log.access, "stdout", places_.log_access);
    if (!loaded_.problems.empty()) loaded_.config.reset();
  }

 private:
  void problem(const conf::Place& place, const std::string& message) {
    loaded_.problems.push_back(place.problem(message));
  }

  void warning(const conf::Place& place, const std::string& message) {
    loaded_.warnings.push_back(place.hint(message));
  }

  // What a running process does not take over anyway.
  void problem_of_start(const conf::Place& place, const std::string& message) {
    if (purpose_ == Purpose::start) return problem(place, message);
    warning(place, message);
  }

  void check_certificates(std::size_t listener) {
    const auto& tls = config_.listeners[listener].tls;
    if (!tls) return;
    const std::size_t before = loaded_.problems.size();
    const auto& places = places_.certificates[listener];
    for (std::size_t i = 0; i < tls->certificates.size() && i < places.size(); ++i)
      check_certificate(tls->certificates[i], places[i]);
    if (loaded_.problems.size() != before || places.empty()) return;
    // What is left: what OpenSSL's security level does not allow.
    const tls::ServerContext::Made made = tls::ServerContext::from_files(*tls);
    if (!made.context) problem(places.front().cert, made.error);
  }

  void check_certificate(const conf::Certificate& files, const conf::Places::Certificate& places) {
    const tls::CertificateCheck found = tls::check_certificate(files, machine_.now);
    if (!found.certificate_error.empty())
      problem(places.cert, quoted(files.cert) + ": " + found.certificate_error);
    if (!found.key_error.empty()) problem(places.key, quoted(files.key) + ": " + found.key_error);
    for (const std::string& one : found.warnings)
      warning(places.cert, quoted(files.cert) + " " + one);
  }

  // What conf could not know: the addresses of the interfaces.
  void check_servers(std::size_t backend) {
    const auto& servers = config_.backends[backend].servers;
    for (std::size_t i = 0; i < servers.size(); ++i) {
      for (const conf::Listener& listener : config_.listeners) {
        if (!conf::leads_to(servers[i].address, listener.address, machine_.addresses)) continue;
        problem(places_.servers[backend][i],
                conf::own_listener_text(servers[i].address, listener.address));
        break;
      }
    }
  }

  void check_user() {
    const std::string& name = config_.server.user;
    if (name.empty()) return;
    const auto user = machine_.find_user(name);
    if (!user) return problem_of_start(places_.user, "user " + quoted(name) + " does not exist");
    // Who is no root stays who it is.
    if (machine_.uid != 0 || user->id == 0) return;
    for (const conf::Places::File& file : places_.files) {
      if (may_read(*user, file.path)) continue;
      warning(file.place, quoted(file.path) + " cannot be read by the user " + quoted(name) +
                              ": a reload will fail");
    }
    check_log_of(*user, config_.log.file, "stderr", places_.log_file);
    check_log_of(*user, config_.log.access, "stdout", places_.log_access);
  }

  static bool is_file(const std::string& target, const std::string& word,
                      const conf::Place& place) {
    return place.known() && target != word && target != "off";
  }

  // After a rotation the user makes the file anew.
  void check_log_of(const Machine::User& user, const std::string& target, const std::string& word,
                    const conf::Place& place) {
    if (!is_file(target, word, place) || target.rfind("/dev/", 0) == 0) return;
    const std::string folder = folder_of(target).string();
    if (allows(user, folder, S_IWOTH | S_IXOTH)) return;
    warning(place, "the folder " + quoted(folder) + " cannot be written by the user " +
                       quoted(config_.server.user) + ": after a rotation the log cannot be opened");
  }

  void check_log(const std::string& target, const std::string& word, const conf::Place& place) {
    if (!is_file(target, word, place)) return;
    const std::string why = log_problem(target);
    if (!why.empty()) problem_of_start(place, why);
  }

  conf::LoadResult& loaded_;
  const conf::Config& config_;
  const conf::Places& places_;
  Purpose purpose_;
  const Machine& machine_;
};

std::optional<Machine::User> look_up(const std::string& name) {
  const passwd* entry = getpwnam(name.c_str());
  if (entry == nullptr) return std::nullopt;
  Machine::User user;
  user.id = entry->pw_uid;
  int count = 0;
  getgrouplist(name.c_str(), entry->pw_gid, nullptr, &count);
  user.groups.resize(static_cast<std::size_t>(std::max(count, 1)), entry->pw_gid);
  getgrouplist(name.c_str(), entry->pw_gid, user.groups.data(), &count);
  return user;
}

}  // namespace

Machine Machine::real() {
  Machine machine;
  machine.now = std::time(nullptr);
  machine.uid = geteuid();
  machine.addresses = net::addresses_of_this_machine().value_or(std::vector<conf::Ip>{});
  machine.find_user = look_up;
  return machine;
}

conf::LoadResult preflight(conf::LoadResult loaded, Purpose purpose, const Machine& machine) {
  if (loaded.config) Preflight(loaded, purpose, machine).run();
  return loaded;
}

conf::LoadResult preflight(conf::LoadResult loaded, Purpose purpose) {
  return preflight(std::move(loaded), purpose, Machine::real());
}

}  // namespace fairlead::edge
