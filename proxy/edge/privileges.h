#pragma once
// What the process takes and gives up at its start.

#include <string>

namespace fairlead::edge {

// Raises the soft limit of open files to the hard one. Returns the limit there is then.
unsigned long raise_file_limit();

// Becomes `user` with its groups, for good. "" or why not.
std::string drop_privileges(const std::string& user);

}  // namespace fairlead::edge
