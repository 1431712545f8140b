// The engine's parts, each beside the ceiling that bounds it. Run on an idle machine; `mla-explorer bench` measures whole
// workloads.
#include <benchmark/benchmark.h>

#include "core/engine/ceilings.h"
#include "core/engine/decoder.h"
#include "core/engine/run.h"
#include "core/model/model_catalog.h"
#include "core/spec/parameters.h"
#include "core/spec/presets.h"
#include "core/tensor/kernels.h"
#include "core/tensor/random.h"

namespace mla {
namespace {

const Ceilings& ceilings() {
  static const Ceilings measured = measure_cpu_ceilings(0);
  return measured;
}

std::vector<float> values(std::size_t n) {
  std::vector<float> x(n);
  available_kernels().back()->fill_uniform(1, 0, 1, x.data(), std::int64_t(n));
  return x;
}

/// One thread's products: queries against a block of cached tokens, as scores and prefill do.
void BM_GemmNt(benchmark::State& state) {
  const Kernels& k = *available_kernels().at(state.range(3));
  const int m = int(state.range(0)), n = int(state.range(1)), depth = int(state.range(2));
  const auto a = values(std::size_t(m) * depth), b = values(std::size_t(n) * depth);
  std::vector<float> c(std::size_t(m) * n);
  for (auto _ : state) k.gemm_nt(m, n, depth, a.data(), depth, b.data(), depth, c.data(), n);
  const double rate = 2.0 * m * n * depth * state.iterations();
  state.SetLabel(k.name);
  state.counters["GFLOP/s"] = benchmark::Counter(rate / 1e9, benchmark::Counter::kIsRate);
  state.counters["of one core's fp32"] =
      benchmark::Counter(rate / (ceilings().fp32_gflop_s / ceilings().threads * 1e9), benchmark::Counter::kIsRate);
}

void BM_GemmNn(benchmark::State& state) {
  const Kernels& k = *available_kernels().at(state.range(3));
  const int m = int(state.range(0)), n = int(state.range(1)), depth = int(state.range(2));
  const auto a = values(std::size_t(m) * depth), b = values(std::size_t(depth) * n);
  std::vector<float> c(std::size_t(m) * n);
  for (auto _ : state) k.gemm_nn(m, n, depth, a.data(), depth, b.data(), n, c.data(), n, nullptr);
  const double rate = 2.0 * m * n * depth * state.iterations();
  state.SetLabel(k.name);
  state.counters["GFLOP/s"] = benchmark::Counter(rate / 1e9, benchmark::Counter::kIsRate);
  state.counters["of one core's fp32"] =
      benchmark::Counter(rate / (ceilings().fp32_gflop_s / ceilings().threads * 1e9), benchmark::Counter::kIsRate);
}

void shapes(benchmark::internal::Benchmark* b) {
  for (std::size_t isa = 0; isa < available_kernels().size(); ++isa)
    for (const auto& [m, n, k] : {std::tuple{16, 64, 576}, {128, 64, 576}, {256, 1024, 4096}})
      b->Args({m, n, k, std::int64_t(isa)});
}
BENCHMARK(BM_GemmNt)->Apply(shapes);
BENCHMARK(BM_GemmNn)->Apply(shapes);

/// Random weights of the tutorial's block, all threads.
void BM_Weights(benchmark::State& state) {
  const Experiment e = experiment_from(*find_preset("tutorial"));
  for (auto _ : state) benchmark::DoNotOptimize(build_weights(e));
  state.counters["weights/s"] =
      benchmark::Counter(double(parameter_count(e.spec, 1)) * double(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(BM_Weights)->Unit(benchmark::kMillisecond)->UseRealTime();

/// What tracing costs: one decode step with 512 cached tokens, no rows, one layer's rows, all rows.
void BM_Trace(benchmark::State& state) {
  static const std::unique_ptr<ComputeBackend> backend = make_cpu_backend();
  Experiment e = default_experiment();
  e.prefill = 512;
  e.context = 1 << 16;
  const auto model = load(e);
  auto decoder = Decoder::create(e, *backend, model->weights);
  const TraceRequest request{TraceRequest::Layers(state.range(0)), 0};
  for (auto _ : state) {
    if ((*decoder)->positions() > 640) {
      state.PauseTiming();
      decoder = Decoder::create(e, *backend, model->weights);
      state.ResumeTiming();
    }
    benchmark::DoNotOptimize((*decoder)->step(request));
  }
  state.SetLabel(state.range(0) == 0 ? "no rows" : state.range(0) == 1 ? "one layer" : "all layers");
}
BENCHMARK(BM_Trace)->Arg(0)->Arg(1)->Arg(2)->Unit(benchmark::kMicrosecond)->UseRealTime();

/// A step of the bundled model at 160 to 400 tokens on one thread, rows of no or all layers; and the products with its
/// weights alone. What lies between is attention and overhead.
void BM_BundledStep(benchmark::State& state) {
  static const std::unique_ptr<ComputeBackend> backend = make_cpu_backend();
  Experiment e = *experiment_of_model(std::string(kFairyTales));
  e.threads = 1;
  const auto model = load(e);
  const std::vector<int> prompt(160, 5);
  std::unique_ptr<Decoder> decoder;
  const TraceRequest request{TraceRequest::Layers(state.range(0)), 0};
  for (auto _ : state) {
    if (!decoder || decoder->positions() > 400) {
      state.PauseTiming();
      decoder = std::move(*Decoder::create(e, *backend, model->weights));
      benchmark::DoNotOptimize(decoder->prefill(prompt));
      state.ResumeTiming();
    }
    benchmark::DoNotOptimize(decoder->step(request));
  }
  state.SetLabel(state.range(0) == 0 ? "no rows" : state.range(0) == 1 ? "one layer" : "all layers");
}
BENCHMARK(BM_BundledStep)->Arg(0)->Arg(1)->Arg(2)->Unit(benchmark::kMicrosecond)->UseRealTime();

void BM_BundledProducts(benchmark::State& state) {
  const auto model = load(*experiment_of_model(std::string(kFairyTales)));
  const Kernels& k = *available_kernels().back();
  const auto x = values(4096);
  std::vector<float> y(65536);
  for (auto _ : state) {
    const auto multiply = [&](const Weight& w) {
      if (w.cols > 1) k.gemm_nt(1, w.rows, w.cols, x.data(), w.cols, w.data(), w.cols, y.data(), w.rows);
    };
    for_each_weight(*model->weights, [&](const Weight& w) {
      if (!w.same_as(model->weights->embed_tokens)) multiply(w);
    });
    multiply(model->weights->lm_head);
  }
}
BENCHMARK(BM_BundledProducts)->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace
}  // namespace mla

BENCHMARK_MAIN();
