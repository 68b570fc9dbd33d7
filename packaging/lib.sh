# shellcheck shell=bash disable=SC2034  # names that only the scripts use
# What packaging/run, packaging/test and packaging/package share: steps with a log each, and the packages they need.
# To be sourced after `set -euo pipefail`.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
program=packaging/$(basename "$0")
logs=$top/build/log
jobs=$(nproc 2>/dev/null || echo 2)

# What building needs. "package:command": the command on PATH will do, wherever it came from.
building=(g++:g++ cmake:cmake ninja-build:ninja pkg-config:pkg-config
  libevent-dev libc-ares-dev libssl-dev libtoml11-dev libspdlog-dev libcli11-dev)

die() {
  printf '%s: %s\n' "$program" "$*" >&2
  exit 1
}

# try LOG TITLE COMMAND...: runs it with its output in the log and prints one line with the seconds it took.
# A failure also prints the log's first faults, its tail and its path, and is the function's status.
try() {
  local log=$logs/$1.log title=$2 begun=$SECONDS status=0
  shift 2
  mkdir -p "$logs"
  printf '%-44s' "$title"
  "$@" >"$log" 2>&1 </dev/null || status=$?
  if [ "$status" -eq 0 ]; then
    printf '%4d s\n' "$((SECONDS - begun))"
    return 0
  fi
  printf '%4d s  FAILED (exit status %d)\n' "$((SECONDS - begun))" "$status"
  {
    { grep -m 10 -E '(error|warning): |^FAILED' "$log" || true; echo ...; tail -n 20 "$log"; } | sed 's/^/    /'
    printf '%s: "%s" failed; all of its output: %s\n' "$program" "$title" "${log#"$top"/}"
  } >&2
  return "$status"
}

# As try, and the end of the script when it fails.
step() {
  try "$@" || exit 1
}

installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# missing PACKAGE[:COMMAND]...: prints those that are not there.
missing() {
  local entry package
  for entry in "$@"; do
    package=${entry%%:*}
    if [[ $entry == *:* ]] && command -v "${entry#*:}" >/dev/null; then continue; fi
    installed "$package" || printf '%s\n' "$package"
  done
}

# Another apt may hold the lists' lock, for which apt-get has no timeout of its own. A failure is no end yet:
# the lists that are there may do.
update_lists() {
  local tries output
  for tries in 1 2 3 4 5 6 7 8 9 10 11 12; do
    output=$(apt-get -o Acquire::http::Timeout=30 update 2>&1) && break
    [[ $output == *"Could not get lock"* ]] || break
    echo "waiting for another apt (attempt $tries)"
    sleep 10
  done
  printf '%s\n' "$output"
}

# Packages of services would start them: policy-rc.d says no meanwhile. In a subshell, for its trap.
install_packages() (
  export DEBIAN_FRONTEND=noninteractive
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  update_lists
  apt-get -o DPkg::Lock::Timeout=120 -o Acquire::http::Timeout=30 -o Acquire::Retries=2 \
    install -y --no-install-recommends "$@"
)

# need WHAT PACKAGE[:COMMAND]...: installs what is missing. Without anything missing it needs neither root nor network.
need() {
  local what=$1 list
  shift
  mapfile -t list < <(missing "$@")
  [ "${#list[@]}" -gt 0 ] || return 0
  if ! command -v apt-get >/dev/null; then
    die "$what needs what Debian 12 calls ${list[*]}; there is no apt-get here to install it"
  fi
  if [ "$(id -u)" -ne 0 ]; then
    die "$what needs packages that are missing, and only root can install them. Run
    sudo apt-get install --no-install-recommends ${list[*]}
and then $program again."
  fi
  printf 'missing: %s\n' "${list[*]}"
  try packages "install ${#list[@]} packages" install_packages "${list[@]}" ||
    die "cannot install ${list[*]} (is there a network?). By hand:
    apt-get update && apt-get install --no-install-recommends ${list[*]}"
}

# build PRESET [TARGET]: configures once (later the build does so itself when it must) and builds.
build() {
  local preset=$1 target=${2:-all} folder=$top/build/$1
  if [ ! -e "$folder/build.ninja" ]; then
    step "$preset-configure" "configure $preset" cmake -S "$top" --preset "$preset"
  fi
  step "$preset-build" "build $preset" cmake --build "$folder" -j "$jobs" --target "$target"
}
