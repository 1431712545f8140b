#!/bin/sh
# report.sh COMPILER ARGUMENT…: compiles, and keeps what ptxas says of each kernel (registers, shared memory, spills) beside the
# object, for tests/gpu/kernel_resources.sh. What else the compiler says is passed on.
output=
previous=
for argument in "$@"; do
  [ "$previous" != -o ] || output=$argument
  previous=$argument
done
"$@" 2>"$output.report"
status=$?
grep -vE '^ptxas info|^ +[0-9]+ bytes stack frame' "$output.report" >&2
exit $status
