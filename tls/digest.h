#pragma once
// Digests and randomness for the rest of the program.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace fairlead::tls {

std::string hmac_sha256(std::string_view key, std::string_view data);  // 32 bytes
std::string base64url(std::string_view bytes);  // RFC 4648 5, without padding
void random_bytes(std::span<char> out);         // cryptographic; aborts only if the system has none
bool equal_constant_time(std::string_view a, std::string_view b);

}  // namespace fairlead::tls
