# cmake -P tests/layers.cmake: fails on an include that goes up or sideways in the picture of
# ARCHITECTURE.md, and on a clock or a socket in a pure folder. Each offence is printed as file:line.
# -DROOT=DIR checks another tree.
cmake_minimum_required(VERSION 3.25)
if(NOT ROOT)
  get_filename_component(ROOT ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)
endif()

# What a file may include, by its path: "PATH|INCLUDE", two regular expressions. An include of the
# project or of a library needs one line that fits; the standard library and the system need none.
set(allowed
  # The folders, bottom up.
  "^conf/|^conf/"
  "^tls/|^(tls|conf)/"
  "^proxy/wire/|^(proxy/wire/|conf/(ip|config)\\.h$)"
  "^proxy/rules/|^(proxy/(rules|wire)|conf)/"
  "^proxy/rules/.*\\.cc$|^tls/digest\\.h$"
  "^proxy/balance/|^(proxy/balance/|proxy/wire/head\\.h$|conf/)"
  "^proxy/balance/.*\\.cc$|^tls/digest\\.h$"
  "^proxy/net/|^(proxy/net|tls|conf)/"
  "^proxy/net/(dns_channel|resolver)\\.|^proxy/wire/dns_answer\\.h$"
  "^proxy/observe/|^(proxy/(observe|rules|wire)|conf)/"
  "^proxy/observe/.*\\.cc$|^(tls/digest|proxy/dashboard/assets)\\.h$"
  "^proxy/remote/|^(proxy/(remote|observe|net|wire)|conf)/"
  "^proxy/edge/|^(proxy/(edge|observe|rules|balance|net|wire)|tls|conf)/"
  "^proxy/demo/|^(proxy/(demo|net|wire)|tls|conf)/"
  "^proxy/[^/]+$|^(proxy|tls|conf)/"
  "^tests/|^(tests|proxy|tls|conf)/"
  # The libraries: each has one door.
  "^conf/table\\.|^toml"
  "^(tls/|proxy/wire/handshake\\.cc$)|^openssl/"
  "^proxy/net/|^event2?[./]"
  "^proxy/net/dns_channel\\.cc$|^ares\\.h$"
  "^proxy/observe/|^spdlog/"
  "^proxy/(observe|edge|demo|remote)/|^fmt/"
  "^proxy/[^/]+$|^fmt/"
  "^proxy/(main|cli[^/]*)\\.cc$|^CLI/"
  "^tests/support/catch\\.h$|^catch2/"
  # Tests may hold a library's objects themselves, but no second copy of Catch2.
  "^tests/|^(toml|openssl/|event2/|spdlog/|fmt/|CLI/)")
set(libraries "^(toml(\\.hpp$|11/|/)|openssl/|event2?[./]|ares|spdlog/|fmt/|CLI/|catch2/)")

# Pure folders: `now` is an argument, and nothing is sent (ARCHITECTURE.md, invariant 3).
set(pure_folders proxy/wire proxy/rules proxy/balance)
set(impure "::now\\(|sys/socket\\.h|clock_gettime|gettimeofday|getaddrinfo")

set(offences "")

# grep(OUT OPTIONS FOLDER...): "file:line:text" of every match in C++ files of the folders that exist.
function(grep out options)
  set(folders "")
  foreach(folder IN LISTS ARGN)
    if(IS_DIRECTORY ${ROOT}/${folder})
      list(APPEND folders ${folder})
    endif()
  endforeach()
  set(lines "")
  if(folders)
    execute_process(
      COMMAND grep -rnE --include=*.h --include=*.cc --exclude-dir=node_modules ${options} ${folders}
      WORKING_DIRECTORY ${ROOT} OUTPUT_VARIABLE lines RESULT_VARIABLE result)
    if(NOT result MATCHES "^[01]$")
      message(FATAL_ERROR "grep: ${result}")
    endif()
  endif()
  # What would have a meaning in a CMake list does not matter to the checks.
  string(REGEX REPLACE "[][;\\\\]" " " lines "${lines}")
  string(REGEX REPLACE "\n+$" "" lines "${lines}")
  string(REPLACE "\n" ";" lines "${lines}")
  set(${out} "${lines}" PARENT_SCOPE)
endfunction()

function(check_include file line quote name)
  # In angle brackets: the standard library and the system, unless it is a library with a door.
  if(quote STREQUAL "<" AND NOT name MATCHES "${libraries}")
    return()
  endif()
  foreach(rule IN LISTS allowed)
    string(REPLACE "|^" ";^" rule "${rule}")
    list(GET rule 0 path)
    list(GET rule 1 include)
    if(file MATCHES "${path}" AND name MATCHES "${include}")
      return()
    endif()
  endforeach()
  list(APPEND offences "${file}:${line}: may not include ${name}")
  set(offences "${offences}" PARENT_SCOPE)
endfunction()

grep(lines "-o;^[[:space:]]*#[[:space:]]*include[[:space:]]*[\"<][^\">]+" conf tls proxy tests)
foreach(entry IN LISTS lines)
  if(NOT entry MATCHES "^([^:]+):([0-9]+):.*([\"<])(.+)$")
    message(FATAL_ERROR "not understood: ${entry}")
  endif()
  check_include("${CMAKE_MATCH_1}" "${CMAKE_MATCH_2}" "${CMAKE_MATCH_3}" "${CMAKE_MATCH_4}")
endforeach()

grep(impurities "${impure}" ${pure_folders})
foreach(entry IN LISTS impurities)
  string(REGEX MATCH "^[^:]+:[0-9]+" where "${entry}")
  list(APPEND offences "${where}: a clock or a socket in a pure folder")
endforeach()

list(LENGTH lines checked)
list(LENGTH offences count)
foreach(offence IN LISTS offences)
  message("${offence}")
endforeach()
if(count GREATER 0)
  message(FATAL_ERROR "layers: ${count} offences in ${checked} includes")
endif()
message("layers: ${checked} includes, nothing forbidden")
