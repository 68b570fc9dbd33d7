#pragma once

// Descriptors 0, 1 and 2. A parent may have closed them (`<&-`, a daemon's starter); then the first
// things a process opens would get these numbers, and what is written for people would go into an
// event loop or to a client.

namespace fairlead::net {

// Opens /dev/null for those of 0, 1 and 2 that are closed. False where that is not possible.
// To be called before anything else is opened.
bool fill_standard_descriptors();

}  // namespace fairlead::net
