#pragma once
// NTLM and Negotiate authenticate a connection, not a request (RFC 4559 6): whatever follows on it
// is served as that user.

#include "proxy/wire/head.h"

namespace fairlead::rules {

// Whether the request has credentials of such a scheme, or the answer a challenge: from then on the
// connection to the server is one client's.
bool binds_connection(const wire::RequestHead& head);
bool binds_connection(const wire::ResponseHead& head);

}  // namespace fairlead::rules
