#!/bin/sh
# kernel_resources.sh BUILD: registers, stack and spills of every kernel on every architecture, as ptxas reported them when it
# was compiled, a line each; fails where a kernel exceeds its line in gpu/kernels/limits.txt or has none, and where ptxas had to
# serialise products of warpgroups or left out a hand-over of registers (its notes C75..).
root=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd) || exit 1
reports=$(find "$1" -name '*.cu.o.report' | sort)
[ -n "$reports" ] || { echo "no reports of ptxas under $1: built without nvcc" >&2; exit 77; }
cat $reports | c++filt | awk -v limits="$root/gpu/kernels/limits.txt" '
  BEGIN {
    while ((getline line < limits) > 0) {
      if (line ~ /^#/ || line == "") continue
      split(line, field, " ")
      registers[field[1]] = field[2]
      spill[field[1]] = field[3]
    }
    printf "%-46s %8s %9s %6s %6s\n", "kernel", "device", "registers", "stack", "spills"
  }
  /Compiling entry function/ {
    split($0, quoted, "\047")
    device = quoted[4]
    name = quoted[2]
    sub(/^.*entry</, "", name)
    sub(/>\(.*$/, "", name)
    gsub(/mla::gpu::/, "", name)
    gsub(/[ ]/, "", name)
  }
  /\(C75[0-9]+\)/ { print name ", " device ": " $0; ++bad }
  /bytes stack frame/ { stack = $1; spilled = $5 + $9 }
  /Used [0-9]+ registers/ {
    match($0, /Used [0-9]+/)
    used = substr($0, RSTART + 5, RLENGTH - 5) + 0
    family = name
    sub(/<.*$/, "", family)
    ++seen
    verdict = ""
    if (!(family in registers)) verdict = "  has no line in limits.txt"
    else if (used > registers[family]) verdict = "  more than " registers[family] " registers"
    else if (spilled > spill[family]) verdict = "  spills more than " spill[family] " bytes"
    if (verdict != "") ++bad
    printf "%-46s %8s %9d %6d %6d%s\n", name, device, used, stack, spilled, verdict
  }
  END {
    if (!seen) { print "ptxas reported no kernel"; exit 1 }
    exit bad > 0
  }'
