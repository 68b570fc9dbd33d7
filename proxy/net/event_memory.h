#pragma once

// libevent keeps a small record for each descriptor number it has ever seen. Mixed with the memory
// of sessions, these records hold its pages long after the sessions have ended: they get pages of
// their own.

namespace fairlead::net {

// To be called before libevent is used for the first time; any later call does nothing.
void separate_event_memory();

}  // namespace fairlead::net
