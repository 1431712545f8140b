// What a CudaExecutor has cached: how it begins, is filled without computing, and is read.
#include "core/engine/decoder.h"
#include "gpu/engine/cuda_executor_parts.h"

namespace mla::gpu {
namespace {

constexpr int kRowsAtOnce = 4096;  // that go to the host

}  // namespace

void CudaExecutor::reset() {
  if (device_) {
    device_->cache.clear();
    device_->inputs = {};
    device_->rows.forget();
  }
  arrived_.clear();
  latents_.assign(std::size_t(experiment_.layers), {});
  positions_ = 0;
}

Status CudaExecutor::fill_synthetic(int count, std::uint64_t seed) {
  if (keeps_rows())
    return Error{"prefill " + std::to_string(count) + ": synthetic rows of the " + std::string(name_of(experiment_.path)) +
                 " path have no latents to keep"};
  return guarded([&] {
    uncached() ? remember_synthetic(count, seed) : fill_cache(count, seed);
    positions_ += count;
  });
}

/// Made on the host, encoded on the device, a page at a time.
void CudaExecutor::fill_cache(int count, std::uint64_t seed) {
  Device& d = device();
  const int width = d.cache.row().values;
  std::vector<float> rows;
  d.cache.grow(d.stream, count);
  for (int done = 0; done < count;) {
    const int some = std::min(kPageTokens, count - done), at[2] = {positions_ + done, 0};
    Chunk none;
    stage(at, none);
    d.stream.to_device(d.given.data(), d.in.data(), sizeof at);
    rows.resize(std::size_t(some) * batch() * width);
    float* const on_device = d.scratch.get(Slot::row, std::int64_t(rows.size()));
    for (int l = 0; l < experiment_.layers; ++l) {
      for (int i = 0; i < some * batch(); ++i)
        synthetic_input(seed + 1 + l, at[0] + i / batch(), i % batch(),
                        std::span(rows).subspan(std::size_t(i) * width, width));
      d.stream.to_device(on_device, rows.data(), rows.size() * sizeof(float));
      append_rows(d.stream, d.cache.view(l), {d.ints(), batch()}, {on_device, width}, some * batch());
      d.stream.synchronize();  // before `rows` change
    }
    done += some;
  }
}

/// There is no cache to fill, so the inputs are synthetic.
void CudaExecutor::remember_synthetic(int count, std::uint64_t seed) {
  const std::size_t width = std::size_t(hidden_size());
  std::vector<float> inputs(std::size_t(count) * batch() * width);
  for (int i = 0; i < count * batch(); ++i)
    synthetic_input(seed, positions_ + i / batch(), i % batch(), std::span(inputs).subspan(i * width, width));
  float* const to = room_for_inputs(count);
  device().stream.to_device(to, inputs.data(), inputs.size() * sizeof(float));
  device().stream.synchronize();
}

/// Where the inputs of that many further positions belong.
float* CudaExecutor::room_for_inputs(int count) {
  Device& d = device();
  const std::size_t position = std::size_t(batch()) * hidden_size(), known = positions_ * position;
  if (d.inputs.size() < known + count * position) {
    const std::size_t doubled = std::min<std::size_t>(2 * std::size_t(positions_ + count), std::size_t(experiment_.context));
    Array<float> larger(std::max<std::size_t>(doubled, std::size_t(positions_ + count)) * position);
    d.stream.copy(larger.data(), d.inputs.data(), known * sizeof(float));
    d.stream.synchronize();
    d.inputs = std::move(larger);
  }
  return d.inputs.data() + known;
}

/// Puts the new inputs behind those of the whole history, which an uncached pass computes.
void CudaExecutor::remember(const ForwardInput& input, ForwardOutput& output) {
  Device& d = device();
  float* const to = room_for_inputs(input.count);
  if (!input.hidden.empty()) {
    d.stream.to_device(to, input.hidden.data(), input.hidden.size_bytes());
  } else {
    const Weight& embedding = weights_->embed_tokens;
    Array<int> ids(input.tokens.size());
    d.stream.to_device(ids.data(), input.tokens.data(), ids.bytes());
    gather_rows(d.stream, d.model->of(embedding).matrix(), ids.data(), int(ids.size()), {to, hidden_size()});
    d.stream.synchronize();
    output.trace.work.weight_bytes += embedding.row_bytes() * std::int64_t(ids.size());
  }
  d.stream.synchronize();
}

/// Sequence 0's compressed rows [count, c + r] of `rows` [count, batch, c + r] on the device.
void CudaExecutor::keep_rows(int l, const float* rows, int count) {
  Device& d = device();
  const AttentionSpec& a = experiment_.spec.attention;
  const std::size_t width = std::size_t(a.kv_lora_rank + a.qk_rope_head_dim);
  std::vector<float> all(std::size_t(count) * batch() * width);
  d.stream.to_host(all.data(), rows, all.size() * sizeof(float));
  d.stream.synchronize();
  std::vector<float>& kept = latents_[std::size_t(l)];
  for (int i = 0; i < count; ++i) {
    const auto row = all.begin() + std::ptrdiff_t(i * batch() * width);
    kept.insert(kept.end(), row, row + std::ptrdiff_t(width));
  }
}

void CudaExecutor::keep_uncached_rows() {
  if (!keep_latents_ || experiment_.spec.attention.is_mla()) return;
  for (int l = 0; l < experiment_.layers; ++l) latents_[std::size_t(l)] = rows_of(l);
}

std::vector<float> CudaExecutor::rows_of(int layer) const {
  Device& d = *device_;
  const int width = d.cache.row().values;
  std::vector<float> rows(std::size_t(d.cache.tokens()) * width);
  for (int first = 0; first < d.cache.tokens(); first += kRowsAtOnce) {
    const int count = std::min(kRowsAtOnce, d.cache.tokens() - first);
    float* const on_device = d.scratch.get(Slot::read, std::int64_t(count) * width);
    read_rows(d.stream, d.cache.view(layer), {0, first, count, width}, {on_device, width});
    d.stream.to_host(rows.data() + std::size_t(first) * width, on_device, std::size_t(count) * width * sizeof(float));
    d.stream.synchronize();
  }
  return rows;
}

std::vector<float> CudaExecutor::cache_rows(int layer) const {
  if (uncached() || (experiment_.spec.attention.is_mla() && latents_lost())) return latents_[std::size_t(layer)];
  if (!device_) return {};
  try {
    return rows_of(layer);
  } catch (const Failure&) {
    return {};  // the next pass says why
  }
}

}  // namespace mla::gpu
