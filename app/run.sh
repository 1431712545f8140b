#!/bin/sh
# Installs what is missing, builds what has changed, and runs mla-explorer with the arguments; without any, its window.
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
. "$root/app/setup.sh"

program=$root/build/release/mla-explorer
prepare $program_packages || exit 1
if [ ! -e "$program" ]; then
  say "Building; the first time takes some minutes."
  if [ ! -e "$root/build/release/build.ninja" ]; then (configure release -DMLA_TESTS=OFF) || exit 1; fi
fi
(build release mla-explorer) || exit 1

if [ $# = 0 ] && [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}${QT_QPA_PLATFORM:-}" ]; then
  echo "There is no display for the window: running the tutorial's experiment instead, charts go to $root/results/tutorial"
  set -- sweep --preset tutorial --axis kv-lora-rank=2,4,8,16,32 --tokens 10 --out "$root/results/tutorial"
fi
exec "$program" "$@"
