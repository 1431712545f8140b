#include <algorithm>

#include "core/engine/decoder.h"
#include "core/engine/run.h"
#include "core/model/model_catalog.h"
#include "gpu/cuda_backend.h"
#include "tests/bench/gpu/cases.h"

namespace mla::gpu::bench {
namespace {

Result<double> step_us(bool small) {
  Result<Experiment> e = experiment_of_model(std::string(kFairyTales));
  if (!e) return e.error();
  e->backend = "cuda";
  const Result<LoadedModel> model = load(*e);
  if (!model) return model.error();
  const auto backend = make_cuda_backend();
  const auto decoder = Decoder::create(model->experiment, *backend, model->weights);
  if (!decoder) return decoder.error();
  const std::vector<int> prompt(small ? 4 : 160, 5);
  if (const auto done = (*decoder)->prefill(prompt); !done) return done.error();
  std::vector<double> times;
  for (int i = 0; i < (small ? 2 : 300) && (*decoder)->can_step(); ++i) {
    const auto trace = (*decoder)->step({TraceRequest::Layers::all, 0});
    if (!trace) return trace.error();
    times.push_back(1000 * trace->ms / model->experiment.layers);
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

}  // namespace

double bundled_step(std::string& refusal, bool small) {
  const Result<double> us = step_us(small);
  if (us) return *us;
  refusal = us.error().message;
  return -1;
}

}  // namespace mla::gpu::bench
