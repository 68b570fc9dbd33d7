#pragma once
// What the process takes and gives up at its start.

#include <optional>
#include <string>

#include "proxy/observe/log_target.h"

namespace fairlead::edge {

// Raises the soft limit of open files to the hard one. Returns the limit there is then.
unsigned long raise_file_limit();

// Who log files are to belong to that are made before drop_privileges(user): nothing where it will
// change nothing, or there is no such user.
std::optional<observe::LogOwner> log_owner(const std::string& user);

// Becomes `user` with its groups, for good. "" or why not.
std::string drop_privileges(const std::string& user);

}  // namespace fairlead::edge
