# Sourced by app/run.sh, tests/run.sh and .ci/run, with $root set to the source folder: what this machine needs to build, and
# how it is built. Says nothing unless something fails, and then on standard error, so that the program's own output stays clean.

program_packages="g++ cmake ninja-build libeigen3-dev nlohmann-json3-dev libcli11-dev libpcre2-dev qt6-base-dev qt6-charts-dev
  libqt6opengl6-dev libgl-dev qt6-svg-dev fonts-dejavu-core"
test_packages="$program_packages libgtest-dev libbenchmark-dev"

# say TEXT: what takes a while, for a person who watches.
say() {
  if [ -t 2 ]; then echo "$1" >&2; fi
}

# quietly LOG COMMAND…: runs it with its output in the log, which is shown if it fails.
quietly() {
  log=$1
  shift
  "$@" >"$log" 2>&1 </dev/null && return
  cat "$log" >&2
  echo "failed: $*" >&2
  return 1
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# missing PACKAGE…: those that are not installed, one a line.
missing() {
  for package in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
  done
}

# known PACKAGE…: those that this release of the distribution has (newer ones merge some into others).
known() {
  for package in "$@"; do
    if apt-cache show "$package" >/dev/null 2>&1; then echo "$package"; fi
  done
}

install_packages() {
  if ! command -v apt-get >/dev/null || { [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; }; then
    echo "Please install what Debian calls: $*" >&2
    return 1
  fi
  say "Installing $*"
  quietly "$root/build/update.log" as_root apt-get update || return
  quietly "$root/build/install.log" as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends $(known "$@")
}

# prepare PACKAGE…: installs what is missing; looks only once for each list of packages.
prepare() {
  mkdir -p "$root/build" || return
  stamp=$root/build/packages-$(echo "$@" | cksum | cut -d' ' -f1)
  [ -e "$stamp" ] && return
  if command -v dpkg-query >/dev/null; then
    absent=$(missing "$@")
    [ -z "$absent" ] || install_packages $absent || return
  elif ! command -v cmake >/dev/null || ! command -v ninja >/dev/null || ! command -v c++ >/dev/null; then
    install_packages "$@" || return
  fi
  : >"$stamp"
}

# configure PRESET OPTION…: once; afterwards the build does it by itself.
configure() {
  preset=$1
  shift
  mark=$root/build/$preset/configured-$(echo "$@" | cksum | cut -d' ' -f1)
  [ -e "$mark" ] && [ -e "$root/build/$preset/build.ninja" ] && return
  cd "$root" && quietly "$root/build/$preset-configure.log" cmake --preset "$preset" "$@" || return
  rm -f "$root/build/$preset"/configured-* && : >"$mark"
}

# build PRESET TARGET…
build() {
  preset=$1
  shift
  quietly "$root/build/$preset-build.log" ninja -C "$root/build/$preset" "$@"
}
