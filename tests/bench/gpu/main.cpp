// Times the CUDA backend: bench_gpu [--small] > gpu.json. tests/bench/gpu.sh runs it beside its peers.
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "gpu/engine/device_ceilings.h"
#include "tests/bench/gpu/cases.h"

namespace mla::gpu::bench {
namespace {

nlohmann::ordered_json row_of(const Case& c, const Timing& timing) {
  nlohmann::ordered_json row = {
      {"name", c.name()}, {"batch", c.batch}, {"heads", c.heads}, {"tokens", c.tokens}, {"dtype", name_of(c.dtype)}};
  if (!timing.refusal.empty()) {
    row["refusal"] = timing.refusal;
    return row;
  }
  row["kernel"] = timing.kernel;
  row["median_ms"] = timing.ms;
  row["low_ms"] = timing.low;
  row["high_ms"] = timing.high;
  row["copies"] = timing.copies;
  row["gb_s"] = c.bytes() / timing.ms / 1e6;
  row["tflop_s"] = c.operations() / timing.ms / 1e9;
  return row;
}

int run(bool small) {
  const Result<DeviceFacts> device = find_device();
  if (!device) {
    std::fprintf(stderr, "bench_gpu: %s\n", device.error().message.c_str());
    return 1;
  }
  nlohmann::ordered_json report;
  report["device"] = device->name;
  const std::size_t copied = small ? 1 << 20 : std::size_t(2) << 30;
  const Ceilings ceilings = measure_ceilings(*device, {});
  report["copy_gb_s"] = copy_rate(copied);
  report["fp32_tflop_s"] = ceilings.fp32_gflop_s / 1e3;
  report["matrix_tflop_s"] = ceilings.bf16_gflop_s / 1e3;
  report["workloads"] = nlohmann::ordered_json::array();
  for (const Case& c : all_cases(small)) {
    std::fprintf(stderr, "%s\n", c.name().c_str());
    report["workloads"].push_back(row_of(c, measure(*device, c, small)));
  }
  std::string refusal;
  const double us = bundled_step(refusal, small);
  if (us >= 0) {
    report["bundled_us_per_layer_step"] = us;
  } else {
    report["bundled_refusal"] = refusal;
  }
  report["copy_gb_s_after"] = copy_rate(copied);
  std::puts(report.dump(2).c_str());
  return 0;
}

}  // namespace
}  // namespace mla::gpu::bench

int main(int count, char** arguments) {
  const bool small = count == 2 && std::strcmp(arguments[1], "--small") == 0;
  if (count > 1 && !small) {
    std::fprintf(stderr, "usage: bench_gpu [--small]\n");
    return 2;
  }
  try {
    return mla::gpu::bench::run(small);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_gpu: %s\n", error.what());
    return 1;
  }
}
