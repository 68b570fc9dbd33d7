# cmake -DDIR=folder -DFILES=a|b -DOUT=assets.cc -P embed.cmake: files as strings of hexadecimal
# escapes, so that no byte of them can mean anything to the compiler.
string(REPLACE "|" ";" files "${FILES}")
set(arrays "")
set(rows "")
foreach(name IN LISTS files)
  file(READ ${DIR}/${name} bytes HEX)
  string(MAKE_C_IDENTIFIER "k_${name}" symbol)
  string(REGEX REPLACE "(..)" "\\\\x\\1" bytes "${bytes}")
  string(REGEX REPLACE "((\\\\x..)(\\\\x..)?(\\\\x..)?(\\\\x..)?(\\\\x..)?(\\\\x..)?(\\\\x..)?(\\\\x..)?)" "    \"\\1\"\n" bytes "${bytes}")
  string(APPEND arrays "constexpr char ${symbol}[] =\n${bytes};\n\n")
  string(APPEND rows "    Asset{\"/${name}\", {${symbol}, sizeof ${symbol} - 1}},\n")
endforeach()
file(WRITE ${OUT} "// Made by embed.cmake; changes here are lost.\n#include \"proxy/dashboard/assets.h\"\n
#include <array>\n
namespace fairlead::dashboard {\nnamespace {\n\n${arrays}constexpr std::array kAssets = {\n${rows}};\n
}  // namespace\n
std::span<const Asset> assets() {\n  return kAssets;\n}\n\n}  // namespace fairlead::dashboard\n")
