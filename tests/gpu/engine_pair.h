#pragma once

#include "gpu/cuda_backend.h"
#include "tests/core/engine/engine_run.h"
#include "tests/gpu/device_test.h"

namespace mla::gpu::testing {

/// The same vectors in the same passes on a backend; the last pass's length is repeated.
inline EngineRun run_on(ComputeBackend& backend, const Experiment& e, std::shared_ptr<const ModelWeights> weights,
                        const std::vector<float>& x, const std::vector<int>& passes, TraceRequest trace) {
  EngineRun run;
  run.weights = weights;
  auto decoder = Decoder::create(e, backend, weights);
  if (!decoder) {
    ADD_FAILURE() << decoder.error().message;
    return run;
  }
  run.decoder = std::move(*decoder);
  run.decoder->keep_outputs(true);
  const int d = e.spec.attention.hidden_size, total = int(x.size()) / d;
  for (int done = 0, pass = 0; done < total; ++pass) {
    const int count = std::min(passes[std::min<std::size_t>(std::size_t(pass), passes.size() - 1)], total - done);
    auto step =
        run.decoder->prefill_hidden(std::span(x).subspan(std::size_t(done) * d, std::size_t(count) * d), count, trace);
    if (!step) {
      ADD_FAILURE() << step.error().message;
      run.decoder.reset();
      return run;
    }
    run.traces.push_back(std::move(*step));
    done += count;
  }
  return run;
}

/// How far two runs may be apart, as fractions of the largest value.
struct Tolerance {
  double outputs = 2e-5, rows = 2e-5, weights = 2e-5, scores = 1e-4;
};

/// What a cache type or rounded weights leave open: a value on the edge between two codes may fall to either side.
inline Tolerance tolerance_of(const Experiment& e) {
  if (e.cache_dtype == CacheDtype::int8 || e.cache_dtype == CacheDtype::fp8) return {0.1, 0.15, 0.05, 0.5};
  if (e.cache_dtype != CacheDtype::fp32) return {0.02, 0.01, 0.01, 0.05};
  if (e.weights_dtype == WeightsDtype::int8) return {4e-4, 4e-4, 4e-4, 2e-3};
  return {};
}

inline void expect_same_rows(const EngineRun& got, const EngineRun& want, const Tolerance& tolerance) {
  const auto rows = got.rows(), expected = want.rows();
  ASSERT_EQ(rows.size(), expected.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const AttentionRow &a = *rows[i], &b = *expected[i];
    ASSERT_EQ(a.layer, b.layer);
    ASSERT_EQ(a.query, b.query);
    ASSERT_EQ(a.heads, b.heads);
    ASSERT_EQ(a.keys, b.keys);
    const auto near = [&](const std::vector<float>& x, const std::vector<float>& y, double most) {
      ASSERT_EQ(x.size(), y.size());
      for (std::size_t k = 0; k < x.size(); ++k)
        ASSERT_NEAR(x[k], y[k], most) << "layer " << a.layer << " query " << a.query;
    };
    near(a.weights, b.weights, tolerance.weights);
    near(a.scores_nope, b.scores_nope, tolerance.scores);
    near(a.scores_rope, b.scores_rope, tolerance.scores);
  }
}

/// The same outputs, rows, cache, bytes and work.
inline void expect_same_run(const EngineRun& got, const EngineRun& want, const Experiment& e) {
  ASSERT_TRUE(got.decoder && want.decoder);
  const Tolerance tolerance = tolerance_of(e);
  EXPECT_LT(relative_error(got.decoder->outputs(), want.decoder->outputs()), tolerance.outputs);
  expect_same_rows(got, want, tolerance);
  for (int l = 0; l < e.layers; ++l) {
    const auto rows = got.decoder->executor().cache_rows(l), expected = want.decoder->executor().cache_rows(l);
    EXPECT_LT(relative_error(rows, expected), tolerance.rows) << "layer " << l;
  }
  ASSERT_EQ(got.traces.size(), want.traces.size());
  for (std::size_t i = 0; i < want.traces.size(); ++i) {
    const StepTrace &a = got.traces[i], &b = want.traces[i];
    EXPECT_EQ(a.position, b.position);
    EXPECT_EQ(a.positions, b.positions);
    EXPECT_EQ(a.cache_bytes, b.cache_bytes);
    EXPECT_EQ(a.cache_allocated_bytes, b.cache_allocated_bytes);
    EXPECT_EQ(a.work.operations, b.work.operations) << "pass " << i;
    EXPECT_EQ(a.work.weight_bytes, b.work.weight_bytes) << "pass " << i;
    EXPECT_EQ(a.work.cache_read_bytes, b.work.cache_read_bytes) << "pass " << i;
    EXPECT_EQ(a.work.cache_write_bytes, b.work.cache_write_bytes) << "pass " << i;
  }
}

}  // namespace mla::gpu::testing
