# cmake -DIN=page.html -DOUT=page.cc -P embed.cmake: a file as a string of hexadecimal escapes, so
# that no byte of it can mean anything to the compiler.
file(READ ${IN} bytes HEX)
string(REGEX REPLACE "(..)" "\\\\x\\1" bytes "${bytes}")
string(REGEX REPLACE "((\\\\x..)(\\\\x..)?(\\\\x..)?(\\\\x..)?(\\\\x..)?(\\\\x..)?(\\\\x..)?(\\\\x..)?)" "    \"\\1\"\n" bytes "${bytes}")
file(WRITE ${OUT} "// Made by embed.cmake; changes here are lost.\n#include \"proxy/demo/page.h\"\n
namespace fairlead::demo {\nnamespace {\n\nconstexpr char kPage[] =\n${bytes};\n\n}  // namespace\n
std::string_view page() {\n  return {kPage, sizeof kPage - 1};\n}\n\n}  // namespace fairlead::demo\n")
