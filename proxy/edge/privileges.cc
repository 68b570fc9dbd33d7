#include "proxy/edge/privileges.h"

#include <grp.h>
#include <pwd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>

#include "proxy/net/socket.h"

namespace fairlead::edge {

unsigned long raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
  }
  return limit.rlim_cur;
}

std::optional<observe::LogOwner> log_owner(const std::string& user) {
  if (user.empty() || geteuid() != 0) return std::nullopt;
  const passwd* entry = getpwnam(user.c_str());
  if (entry == nullptr || entry->pw_uid == 0) return std::nullopt;
  return observe::LogOwner{entry->pw_uid, entry->pw_gid};
}

std::string drop_privileges(const std::string& user) {
  errno = 0;
  const passwd* entry = getpwnam(user.c_str());
  if (entry == nullptr) return "user \"" + user + "\" does not exist";
  if (geteuid() == entry->pw_uid) return "";
  uid_t uid = entry->pw_uid;
  gid_t gid = entry->pw_gid;
  if (initgroups(user.c_str(), gid) != 0 || setgid(gid) != 0 || setuid(uid) != 0) {
    return "cannot become user \"" + user + "\": " + net::error_text(errno);
  }
  if (uid != 0 && setuid(0) == 0)
    return "privileges could be taken back after becoming \"" + user + "\"";
  return "";
}

}  // namespace fairlead::edge
