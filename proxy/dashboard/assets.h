#pragma once
// The dashboard's files as they were when the program was built.

#include <span>
#include <string_view>

namespace fairlead::dashboard {

struct Asset {
  std::string_view path;  // "/app.js"; the page itself is "/index.html"
  std::string_view bytes;
};

std::span<const Asset> assets();

}  // namespace fairlead::dashboard
