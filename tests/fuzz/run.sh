#!/usr/bin/env bash
# run.sh SECONDS [NAME…]: builds the fuzzers with clang and runs each of them (or those named) for so long, with the goldens as
# seeds. Fails on a crash, a leak, an input that takes 25 seconds or more than 2 GiB; such inputs are kept in build/fuzz/found.
set -euo pipefail
root=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd)
. "$root/app/setup.sh"
seconds=${1:?usage: run.sh SECONDS [NAME…]}
shift
names=${*:-safetensors index config tokenizer tokenizer_text}

prepare $fuzz_packages
(configure fuzz)
build fuzz fuzz_all

work=$root/build/fuzz
export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1

# seeds NAME FILE…: copies of small files, each under a name of its own.
seeds() {
  local folder=$work/seeds/$1 file
  shift
  mkdir -p "$folder"
  for file in "$@"; do
    if [ "$(stat -c %s "$file")" -le 100000 ]; then cp "$file" "$folder/$(cksum <"$file" | tr ' ' -)"; fi
  done
}

golden=$root/tests/golden
seeds safetensors $(find "$golden" -name '*.safetensors')
seeds index $(find "$golden" -name '*.index.json')
seeds config $(find "$golden" -name config.json)
seeds tokenizer $(find "$golden" -name tokenizer.json) "$root"/tests/fuzz/seeds/tokenizer*.json
seeds tokenizer_text "$golden/tokenizer/texts.json" "$root/README.md"

mkdir -p "$work/found"

# fuzz NAME
fuzz() {
  local corpus=$work/corpus/$1
  mkdir -p "$corpus"
  if ! "$work/tests/fuzz/fuzz_$1" -max_total_time="$seconds" -timeout=25 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 \
    -dict="$root/tests/fuzz/json.dict" -artifact_prefix="$work/found/$1-" "$corpus" "$work/seeds/$1" >"$work/$1.log" 2>&1; then
    tail -n 60 "$work/$1.log"
    echo "fuzzing $1 failed; its input lies in $work/found" >&2
    return 1
  fi
  echo "fuzzed $1 for $seconds s"
  grep -E 'stat::number_of_executed_units|cov:' "$work/$1.log" | tail -n 2
}
export -f fuzz
export root work seconds
printf '%s\n' $names | xargs -P "$(nproc)" -n 1 bash -c 'fuzz "$1"' fuzz
