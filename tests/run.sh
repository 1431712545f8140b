#!/bin/sh
# Installs what is missing, builds everything, and runs every test; CTest's summary comes last.
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
. "$root/app/setup.sh"

prepare $test_packages || exit 1
say "Building; the first time takes some minutes."
(configure release -DMLA_TESTS=ON) || exit 1
(build release) || exit 1

log=$root/build/ctest.log
{
  QT_QPA_PLATFORM=offscreen ctest --test-dir "$root/build/release" --output-on-failure -j "$(nproc)" "$@"
  echo $? >"$log.status"
} | tee "$log"
grep 'tests passed' "$log"  # once more: what CTest lists after it is long
exit "$(cat "$log.status")"
