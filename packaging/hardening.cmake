# The compiler's and the linker's protections for what is shipped: every build type but Debug, whose sanitizers have
# their own. Each that this compiler does not know is left out.
option(FAIRLEAD_HARDENING "Build with the compiler's and the linker's protections (not with Debug)" ON)
if(NOT FAIRLEAD_HARDENING OR CMAKE_BUILD_TYPE STREQUAL "Debug")
  return()
endif()

include(CheckCXXCompilerFlag)
include(CheckCXXSourceCompiles)

set(hardening -fPIE)
foreach(flag -fstack-protector-strong -fstack-clash-protection -fcf-protection -mbranch-protection=standard)
  string(MAKE_C_IDENTIFIER "has${flag}" known)
  check_cxx_compiler_flag(${flag} ${known})
  if(${known})
    list(APPEND hardening ${flag})
  endif()
endforeach()

# Level 3 measures objects as the program runs: GCC 12 or clang 9, and glibc 2.34.
check_cxx_source_compiles([[
#include <features.h>
#if !defined(__GLIBC__) || !__GLIBC_PREREQ(2, 34) || !__has_builtin(__builtin_dynamic_object_size)
#error no
#endif
int main() {}
]] has_fortify_3)
if(has_fortify_3)
  set(fortify 3)
else()
  set(fortify 2)
endif()
# A packager's own -D comes before.
list(APPEND hardening -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=${fortify})

target_compile_options(fairlead_options INTERFACE ${hardening})
target_link_options(fairlead_options INTERFACE -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
