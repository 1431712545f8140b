#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/analysis/cost.h"
#include "core/spec/result.h"

namespace mla {

/// One workload, measured beside its roofline.
struct BenchRow {
  std::string name;  ///< stable from version to version, e.g. "mla-absorbed-h16-t8192-fp32"
  double median_ms = 0;
  double low_ms = 0, high_ms = 0;  ///< 10th and 90th percentile
  std::int64_t bytes = 0;          ///< that must be read or written once
  std::int64_t flop = 0;
  std::int64_t touched_bytes = 0;             ///< until the same come again: buffers take turns
  std::int64_t bf16_flop = 0, int8_flop = 0;  ///< of flop, those on bf16 pairs and on bytes
  double roofline_ms = 0;  ///< the larger of bytes / bandwidth and the sum of flop / rate, each at its own type's
  double fraction_of_roofline = 0;
};

struct BenchReport {
  Ceilings machine;  ///< measured in the same run
  std::vector<BenchRow> workloads;
};

/// "all" and the groups it consists of.
std::vector<std::string> bench_suites();

/// Measures the ceilings, then every workload of the suite (an unknown one is refused). `isa` as in an experiment.
/// `progress` is told each workload's name before it runs. A workload that does not fit into free memory ends the run with
/// its name.
Result<BenchReport> run_bench(const std::string& suite, int threads, const std::string& isa,
                              const std::function<void(const std::string&)>& progress = {}, std::stop_token stop = {});

}  // namespace mla
