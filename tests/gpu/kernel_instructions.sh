#!/bin/sh
# kernel_instructions.sh LIBRARY: whether the hot kernels consist of the instructions that they are written for: matrix units,
# asynchronous and bulk copies, as gpu/kernels/instructions.txt lists them. Skipped (77) where cuobjdump is not installed.
root=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd) || exit 1
command -v cuobjdump >/dev/null || { echo "cuobjdump is not installed" >&2; exit 77; }
bad=0
while read -r kernel device instruction; do
  case $kernel in '' | '#'*) continue ;; esac
  listing=$(cuobjdump -lelf "$1" | grep -o "[^ ]*\.$device\.cubin") || { echo "nothing for $device"; continue; }
  found=$(cuobjdump -sass -arch "$device" "$1" | c++filt |
    awk -v kernel="$kernel" -v instruction="$instruction" '
      /Function :/ { inside = index($0, "entry<mla::gpu::" kernel) > 0; functions += inside }
      inside && index($0, instruction) { ++count }
      END { print functions + 0, count + 0 }')
  echo "$kernel on $device: $instruction ${found#* } times in ${found% *} kernels"
  [ "${found#* }" -gt 0 ] || bad=1
done <"$root/gpu/kernels/instructions.txt"
exit $bad
