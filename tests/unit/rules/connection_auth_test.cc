#include "proxy/rules/connection_auth.h"

#include <string>

#include "tests/support/catch.h"
#include "tests/unit/rules/heads.h"

namespace fairlead::rules {

TEST_CASE("connection auth: which credentials and challenges bind a connection",
          "[rules][connection_auth]") {
  struct Row {
    const char* value;
    bool binds;
  };

  const auto row = GENERATE(values<Row>({
      {"NTLM", true},
      {"NTLM TlRMTVNTUAABAAAA", true},
      {"NTLM\tTlRMTVNTUAABAAAA", true},
      {"Negotiate", true},
      {"negotiate YII=", true},
      {"Negotiate, NTLM", true},
      {"Basic realm=\"a, b\", charset=\"UTF-8\", NTLM", true},
      {"Nego2 x", true},
      {"Kerberos", true},
      {"", false},
      {"Basic TlRMTTo=", false},
      {"Bearer NTLM", false},
      {"Basic realm=\"x, NTLM\"", false},
      {"NTLMv9", false},
      {"Digest realm=\"NTLM\", qop=\"auth\"", false},
  }));
  CAPTURE(row.value);
  const std::string value = row.value;
  const auto request = [&](const std::string& name) {
    const Request parsed("GET / HTTP/1.1\nHost: a\nA: b\n" + name + ": " + value);
    return binds_connection(parsed.head);
  };
  const auto answer = [&](const std::string& name) {
    const Response parsed("HTTP/1.1 401 Unauthorized\n" + name + ": Basic\n" + name + ": " + value);
    return binds_connection(parsed.head);
  };
  CHECK(request("Authorization") == row.binds);
  CHECK(request("proxy-authorization") == row.binds);
  CHECK_FALSE(request("X-Authorization"));
  CHECK(answer("WWW-Authenticate") == row.binds);
  CHECK(answer("Proxy-Authenticate") == row.binds);
  CHECK_FALSE(answer("X-Authenticate"));
}

}  // namespace fairlead::rules
