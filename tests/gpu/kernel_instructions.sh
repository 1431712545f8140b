#!/bin/sh
# kernel_instructions.sh LIBRARY: whether the hot kernels consist of the instructions that they are written for (matrix units,
# asynchronous copies), as gpu/kernels/instructions.txt lists them: a line each, and failure where one is missing. Devices for
# which the library was not compiled are left out. Skipped (77) where cuobjdump is not installed.
root=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd) || exit 1
command -v cuobjdump >/dev/null || { echo "cuobjdump is not installed"; exit 77; }
grep -v '^#' "$root/gpu/kernels/instructions.txt" | while read -r kernel device instruction; do
  cuobjdump -sass -arch "$device" "$1" 2>/dev/null | c++filt |
    awk -v name="entry<mla::gpu::$kernel" -v instruction="$instruction" -v what="$kernel on $device: $instruction" '
      function close_kernel() { if (inside && !found) lacking = lacking "\n  not in " title }
      /Function :/ { close_kernel(); code = 1; inside = index($0, name); found = 0; title = $0; kernels += inside > 0 }
      inside && index($0, instruction) { found = 1 }
      END {
        close_kernel()
        if (!code) { print what ": not compiled for this device"; exit 0 }
        print what (kernels ? " in " kernels " kernels" : ": no such kernel") lacking
        exit !kernels || lacking != ""
      }' || echo failed
done | awk '{ print } $0 == "failed" { bad = 1 } END { exit bad }'
