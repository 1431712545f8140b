#include "core/analysis/bench.h"

#include <algorithm>
#include <chrono>

#include "core/analysis/memory.h"
#include "core/attention/one_pass.h"
#include "core/attention/prefill.h"
#include "core/engine/decoder.h"
#include "core/engine/run.h"
#include "core/spec/presets.h"
#include "core/tensor/compute.h"

namespace mla {
namespace {

using Clock = std::chrono::steady_clock;

/// What one run of a workload took and did.
struct Sample {
  double ms = 0;
  Work work;
  std::int64_t touched = 0;         ///< bytes that are read in turn until the same come again
  std::int64_t bf16 = 0, int8 = 0;  ///< of the operations, those on bf16 pairs and on bytes
};

struct Machine {
  const Kernels& kernels;
  int threads;
};

/// A workload prepares itself, then runs again and again.
struct Workload {
  std::string suite, name;
  std::function<Result<std::function<Sample()>>(const Machine&)> prepare;
};

/// The attention kernel alone: the last `positions` of so many tokens, each with `heads` queries over the layout's key-value
/// heads.
struct KernelShape {
  int heads = 16;
  KvLayout layout;
  std::vector<RowSegment> row;
  int tokens = 8192;
  CacheDtype dtype = CacheDtype::fp32;
  int positions = 1;
};

/// Caches to rotate among, so that none of them is still in the processor's own when its turn comes again.
constexpr std::int64_t kRotatedBytes = 160ll << 20;

class KernelBench {
 public:
  KernelBench(const KernelShape& shape, const Machine& machine)
      : shape_(shape),
        pool_(machine.threads),
        kernels_(machine.kernels),
        one_pass_(machine.kernels, pool_),
        prefill_(machine.kernels, pool_) {
    const RowFormat format(shape.row, shape.dtype);
    const std::int64_t each = std::int64_t(shape.tokens) * format.bytes();
    const int count = int(std::clamp<std::int64_t>(kRotatedBytes / each + 1, 2, 64));
    std::vector<float> row(format.values());
    for (int c = 0; c < count; ++c) {
      KvCache& cache = caches_.emplace_back(format);
      for (int t = 0; t < shape.tokens; ++t) {
        synthetic_input(c + 1, t, 0, row);
        cache.store(kernels_, cache.grow(1), 0, row.data(), format.values());
      }
    }
    const std::size_t queries = std::size_t(shape.positions) * shape.heads;
    q_nope_.resize(queries * shape.layout.nope);
    q_rope_.resize(queries * shape.layout.rope);
    sums_.resize(queries * shape.layout.value);
    for (auto* q : {&q_nope_, &q_rope_}) {
      synthetic_input(99, 0, 0, *q);
      for (float& x : *q) x *= 0.05f;
    }
  }

  Sample run() {
    AttentionProblem p;
    p.sequences = {KvView{&caches_[next_++ % caches_.size()], shape_.layout, {}}};
    p.first = shape_.tokens - shape_.positions;
    p.positions = shape_.positions;
    p.heads = shape_.heads;
    p.q_nope = q_nope_.data();
    p.q_rope = q_rope_.data();
    const auto start = Clock::now();
    const bool one_pass = OnePassAttention::handles(p);
    if (one_pass) {  // as a decode whose rows nobody looks at
      one_pass_.run(p, sums_.data());
    } else {
      prefill_.run(p, sums_.data());
    }
    Sample sample;
    sample.ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    const KvLayout& l = shape_.layout;
    const std::int64_t pairs = std::int64_t(shape_.positions) * (p.first + p.keys() + 1) / 2;  // of a query and a key
    sample.work.operations = 2 * shape_.heads * pairs * (l.nope + l.rope + l.value);
    sample.work.cache_read_bytes = caches_.front().bytes();
    sample.touched = std::int64_t(caches_.size()) * sample.work.cache_read_bytes;
    const Products products = one_pass ? OnePassAttention::products(kernels_, caches_.front().format(), l) : Products::fp32;
    const std::int64_t values = 2 * shape_.heads * pairs * l.value, scores = sample.work.operations - values;
    if (products != Products::fp32) sample.bf16 = values + (products == Products::bf16 ? scores : 0);
    if (products == Products::int8) sample.int8 = scores;
    return sample;
  }

 private:
  KernelShape shape_;
  ThreadPool pool_;
  const Kernels& kernels_;
  OnePassAttention one_pass_;
  PrefillAttention prefill_;
  std::vector<KvCache> caches_;
  std::vector<float> q_nope_, q_rope_, sums_;
  std::size_t next_ = 0;
};

Workload kernel_workload(std::string suite, std::string name, KernelShape shape) {
  return {std::move(suite), std::move(name), [shape](const Machine& machine) -> Result<std::function<Sample()>> {
            auto bench = std::make_shared<KernelBench>(shape, machine);
            return std::function<Sample()>([bench] { return bench->run(); });
          }};
}

/// Whole decode steps of an experiment, after some prefilled tokens.
Workload step_workload(std::string suite, std::string name, Experiment experiment) {
  return {std::move(suite), std::move(name), [experiment](const Machine& machine) -> Result<std::function<Sample()>> {
            Experiment e = experiment;
            e.threads = machine.threads;
            e.isa = machine.kernels.name;
            static const std::unique_ptr<ComputeBackend> backend = make_cpu_backend();
            auto model = load(e);
            if (!model) return model.error();
            auto decoder = Decoder::create(e, *backend, model->weights);
            if (!decoder) return decoder.error();
            std::shared_ptr<Decoder> shared = std::move(*decoder);
            return std::function<Sample()>([shared] {
              const Result<StepTrace> trace = shared->step();
              return trace ? Sample{trace->ms, trace->work, trace->work.bytes()} : Sample{};
            });
          }};
}

KernelShape latent_shape(int heads, int tokens, CacheDtype dtype) {
  return {heads,
          {.kv_heads = 1, .nope = 512, .rope = 64, .rope_offset = 512, .value = 512},
          {{512}, {64, 1, true}},
          tokens,
          dtype};
}

KernelShape mha_shape(int tokens, CacheDtype dtype) {
  const int heads = 32, dh = 128, width = heads * dh;
  return {heads,
          {.kv_heads = heads, .rope = dh, .rope_stride = dh, .value = dh, .value_offset = width, .value_stride = dh},
          {{dh, heads}, {dh, heads}},
          tokens,
          dtype};
}

/// Expanded MLA as DeepSeek-V2 has it, 16 heads of (192, 128), a whole prompt at once.
KernelShape prefill_shape(int tokens) {
  const int heads = 16, nope = 128, value = 128;
  return {heads,
          {.kv_heads = heads,
           .nope = nope,
           .nope_stride = nope,
           .rope = 64,
           .rope_offset = heads * (nope + value),
           .value = value,
           .value_offset = heads * nope,
           .value_stride = value},
          {{nope, heads}, {value, heads}, {64}},
          tokens,
          CacheDtype::fp32,
          tokens};
}

std::vector<Workload> workloads() {
  std::vector<Workload> list;
  for (const char* rank : {"2", "4", "8", "16", "32"}) {
    const auto preset = find_preset("tutorial");
    const auto experiment = apply(experiment_from(*preset), {"kv-lora-rank", rank});
    list.push_back(step_workload("toy", "toy-block-c" + std::string(rank) + "-fp32", *experiment));
    for (WeightsDtype dtype : {WeightsDtype::bf16, WeightsDtype::int8}) {
      Experiment narrow = *experiment;
      narrow.weights_dtype = dtype;
      if (rank == std::string_view("4"))
        list.push_back(step_workload("toy", "toy-block-c4-" + std::string(name_of(dtype)), narrow));
    }
  }
  for (int heads : {16, 128})
    for (int tokens : {1024, 8192, 32768})
      for (CacheDtype dtype : {CacheDtype::fp32, CacheDtype::bf16, CacheDtype::fp8, CacheDtype::int8})
        list.push_back(kernel_workload(
            "latent",
            "mla-absorbed-h" + std::to_string(heads) + "-t" + std::to_string(tokens) + "-" + std::string(name_of(dtype)),
            latent_shape(heads, tokens, dtype)));
  for (CacheDtype dtype : {CacheDtype::fp32, CacheDtype::bf16})
    list.push_back(kernel_workload("grouped", "mha-expanded-t8192-" + std::string(name_of(dtype)), mha_shape(8192, dtype)));
  list.push_back(kernel_workload("prefill", "mla-prefill-h16-t2048-fp32", prefill_shape(2048)));
  Experiment small = default_experiment();
  small.prefill = 256;
  list.push_back(step_workload("block", "random-block-d512-t256-fp32", small));
  return list;
}

double percentile(const std::vector<double>& sorted, double p) {
  return sorted[std::size_t(p * double(sorted.size() - 1) + 0.5)];
}

BenchRow measure(const Workload& workload, const std::function<Sample()>& run) {
  constexpr double budget_ms = 1500;
  std::vector<double> times;
  Sample sample = run();  // buffers are allocated and pages touched here
  double spent = 0;
  for (int i = 0; i < 200 && (spent < budget_ms || i < 5); ++i) {
    sample = run();
    times.push_back(sample.ms);
    spent += sample.ms;
  }
  std::sort(times.begin(), times.end());
  BenchRow row;
  row.name = workload.name;
  row.median_ms = percentile(times, 0.5);
  row.low_ms = percentile(times, 0.1);
  row.high_ms = percentile(times, 0.9);
  row.bytes = sample.work.bytes();
  row.flop = sample.work.operations;
  row.bf16_flop = sample.bf16;
  row.int8_flop = sample.int8;
  row.touched_bytes = sample.touched;
  return row;
}

void hold_against(const Ceilings& ceilings, BenchRow& row) {
  const double bandwidth = bandwidth_gb_s(row.touched_bytes, ceilings);
  double computing = double(row.flop - row.bf16_flop - row.int8_flop) / (ceilings.fp32_gflop_s * 1e6);
  if (row.bf16_flop > 0) computing += double(row.bf16_flop) / (ceilings.bf16_gflop_s * 1e6);
  if (row.int8_flop > 0) computing += double(row.int8_flop) / (ceilings.int8_gop_s * 1e6);
  row.roofline_ms = std::max(double(row.bytes) / (bandwidth * 1e6), computing);
  row.fraction_of_roofline = row.roofline_ms / row.median_ms;
}

}  // namespace

std::vector<std::string> bench_suites() { return {"all", "toy", "latent", "grouped", "prefill", "block"}; }

Result<BenchReport> run_bench(const std::string& suite, int threads, const std::string& isa,
                              const std::function<void(const std::string&)>& progress, std::stop_token stop) {
  const auto suites = bench_suites();
  if (std::find(suites.begin(), suites.end(), suite) == suites.end()) {
    std::string known;
    for (const std::string& name : suites) known += (known.empty() ? "" : ", ") + name;
    return Error{"suite " + suite + ": known are " + known};
  }
  const auto kernels = find_kernels(isa);
  if (!kernels) return kernels.error();
  if (progress) progress("ceilings of this machine");
  Ceilings before = measure_cpu_ceilings(threads, stop);
  Machine machine{**kernels, threads > 0 ? threads : default_threads()};
  BenchReport report;
  report.machine = before;
  for (const Workload& workload : workloads()) {
    if (suite != "all" && suite != workload.suite) continue;
    if (stop.stop_requested()) return Error{"cancelled"};
    if (progress) progress(workload.name);
    const auto run = workload.prepare(machine);
    if (!run) return Error{workload.name + ": " + run.error().message};
    BenchRow row = measure(workload, *run);
    // What a virtual machine can do changes from one moment to the next, and a ceiling read too low flatters: what counts
    // for a workload is the higher of those right before and right after it.
    const Ceilings after = measure_cpu_ceilings(threads, stop);
    hold_against(higher_of(before, after), row);
    report.machine = higher_of(report.machine, after);
    report.workloads.push_back(std::move(row));
    before = after;
  }
  return report;
}

}  // namespace mla
