#!/bin/sh
# Builds the CUDA backend for this machine's GPU, tests it on it, and measures it beside its ceilings and peers, within ten
# minutes: tests/bench/gpu.sh [FOLDER] writes table.md, gpu.json, peers.json and the logs into FOLDER (build/gpu-report).
# Needs nvcc, CMake, ninja and an NVIDIA GPU; PyTorch with Triton for the peers, which are left out without. Where Eigen,
# nlohmann-json, CLI11, GoogleTest and PCRE2 are not installed, MLA_LIBRARIES names the folders, divided by ;, in which they
# lie: Eigen/, nlohmann/ and CLI/ with their headers, googletest/ with its sources, pcre2.h and libpcre2-8.so or .a (without
# it, the bundled model is left out).
set -u
root=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd) || exit 1
out=${1:-$root/build/gpu-report}
build=$root/build/gpu
mkdir -p "$out" || exit 1
failed=

step() { echo "== $1" >&2; }

# checked LOG COMMAND…: remembers what failed and goes on, so that one failure does not cost the rest of the report.
checked() {
  log=$out/$1.log
  shift
  "$@" >"$log" 2>&1 && return
  failed="$failed $(basename "$log" .log)"
  tail -n 40 "$log" >&2
  return 1
}

capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -n 1 | tr -d .)
[ -n "$capability" ] || { echo "no NVIDIA GPU was found" >&2; exit 1; }
architecture=$capability
[ "$capability" != 90 ] || architecture=90a

step "build for sm_$architecture"
command -v nvcc >/dev/null || PATH=$PATH:/usr/local/cuda/bin
checked configure cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DMLA_WINDOW=OFF -DMLA_TESTS=ON \
  -DMLA_CUDA_ARCHITECTURES="$architecture-real" "-DCMAKE_PREFIX_PATH=${MLA_LIBRARIES:-}" || exit 1
checked build ninja -C "$build" gpu_device_tests bench_gpu || exit 1
tests=$build/tests/gpu/gpu_device_tests

step "tests on the device"
checked tests timeout 100 "$tests"
grep -E '^\[  (PASSED|SKIPPED|FAILED)' "$out/tests.log" >&2

# The kernels one by one, at 140 tokens and fewer.
small='Attention*:CacheRows*:*Product*:Experts*:Grouped*:Hopper*:Latent*:Norm*:Prefill*:Sample*-*Long*:*ManyHeads*:*ShortCaches*'
if command -v compute-sanitizer >/dev/null; then
  for tool in memcheck racecheck; do
    step "$tool, small shapes"
    checked "$tool" timeout 75 compute-sanitizer --tool "$tool" --error-exitcode 9 "$tests" --gtest_filter="$small"
  done
fi

step "measure"
timeout 100 "$build/tests/bench/gpu/bench_gpu" >"$out/gpu.json" 2>"$out/bench.log" || {
  tail -n 5 "$out/bench.log" >&2
  exit 1
}
peers=
if python3 -c 'import torch, triton' 2>/dev/null; then
  step "peers"
  if timeout 150 python3 "$root/tests/bench/gpu/peers.py" >"$out/peers.json" 2>"$out/peers.log"; then
    peers=$out/peers.json
  else
    failed="$failed peers"
    tail -n 5 "$out/peers.log" >&2
  fi
fi
python3 "$root/tests/bench/gpu/table.py" "$out/gpu.json" $peers | tee "$out/table.md"
[ -z "$failed" ] || { echo "failed:$failed (logs in $out)" >&2; exit 1; }
