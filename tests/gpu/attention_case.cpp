#include "tests/gpu/attention_case.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "core/attention/attention_kernel.h"

namespace mla::gpu::testing {
namespace {

const Kernels& kernels() { return *available_kernels().front(); }

constexpr std::ptrdiff_t kLayerOffset = 512;  // of the layer's rows in a page

/// Where a column of a row of 64-column tiles lies, written down apart from the kernels.
std::size_t place_in_tiles(int slot, int column) {
  const int tile = column / 64, chunk = column % 64 / 8;
  return std::size_t(tile) * 64 * 128 + std::size_t(slot) * 128 + std::size_t(chunk ^ (slot & 7)) * 16 +
         std::size_t(column % 8) * 2;
}

double dot(const float* x, const float* y, int n) {
  double sum = 0;
  for (int i = 0; i < n; ++i) sum += double(x[i]) * y[i];
  return sum;
}

}  // namespace

std::string AttentionShape::text() const {
  return std::to_string(heads) + " heads over " + std::to_string(layout.kv_heads) + ", " + std::to_string(layout.nope) +
         " + " + std::to_string(layout.rope) + " and " + std::to_string(layout.value) + ", " + std::to_string(positions) +
         " of " + std::to_string(tokens) + " tokens, batch " + std::to_string(batch) + ", " + std::string(name_of(dtype)) +
         (page == PageLayout::tiles ? " in tiles" : "");
}

AttentionShape absorbed(int heads, int latent, int rope, int tokens, CacheDtype dtype) {
  AttentionShape shape{{{latent}}, {}, heads, tokens, dtype};
  if (rope) shape.row.push_back({rope, 1, true});
  shape.layout = {.kv_heads = 1, .nope = latent, .rope = rope, .rope_offset = latent, .value = latent};
  return shape;
}

AttentionShape grouped(int heads, int kv_heads, int width, int rope, int tokens, CacheDtype dtype) {
  AttentionShape shape{{{width, kv_heads}, {width, kv_heads}}, {}, heads, tokens, dtype};
  shape.layout = {.kv_heads = kv_heads,
                  .nope = width - rope,
                  .nope_stride = width,
                  .rope = rope,
                  .rope_offset = width - rope,
                  .rope_stride = width,
                  .value = width,
                  .value_offset = kv_heads * width,
                  .value_stride = width};
  return shape;
}

AttentionShape expanded(int heads, int nope, int rope, int value, int tokens, CacheDtype dtype) {
  AttentionShape shape{{{nope + rope, heads}, {value, heads}}, {}, heads, tokens, dtype};
  shape.layout = {.kv_heads = heads,
                  .nope = nope,
                  .nope_stride = nope + rope,
                  .rope = rope,
                  .rope_offset = nope,
                  .rope_stride = nope + rope,
                  .value = value,
                  .value_offset = heads * (nope + rope),
                  .value_stride = value};
  return shape;
}

AttentionShape toy(int heads, int latent, int value, int tokens, CacheDtype dtype) {
  AttentionShape shape{{{latent}, {value, heads}}, {}, heads, tokens, dtype};
  shape.layout = {.kv_heads = heads, .nope = latent, .value = value, .value_offset = latent, .value_stride = value};
  return shape;
}

AttentionCase::AttentionCase(Stream& stream, const AttentionShape& shape, unsigned seed) : shape_(shape), stream_(stream) {
  fill_caches(seed);
  fill_pages(seed);
  const std::size_t queries = std::size_t(shape.positions) * shape.batch * shape.heads;
  const float scale = kScoreDeviation / std::sqrt(float(shape.layout.nope + shape.layout.rope));
  q_nope_ = normal(queries * shape.layout.nope, seed + 1, scale);
  q_rope_ = normal(queries * shape.layout.rope, seed + 2, scale);
  device_nope_ = to_device(stream, q_nope_);
  device_rope_ = to_device(stream, q_rope_);
  first_ = to_device(stream, std::vector<int>{shape.tokens - shape.positions});
  problem_.layout = shape.layout;
  problem_.batch = shape.batch;
  problem_.heads = shape.heads;
  problem_.positions = shape.positions;
  problem_.first = first_.data();
  problem_.most_keys = shape.tokens + 70;  // a context that is not full
  problem_.q_nope = device_nope_.data();
  problem_.q_rope = shape.layout.rope ? device_rope_.data() : nullptr;
}

void AttentionCase::fill_caches(unsigned seed) {
  const RowFormat format(shape_.row, shape_.dtype);
  for (int s = 0; s < shape_.batch; ++s) {
    KvCache& cache = caches_.emplace_back(format);
    const std::vector<float> rows = normal(std::size_t(shape_.tokens) * format.values(), seed + 10 + unsigned(s));
    for (int t = 0; t < shape_.tokens; ++t)
      cache.store(kernels(), cache.grow(1), 0, rows.data() + std::size_t(t) * format.values(), format.values());
  }
}

void AttentionCase::fill_pages(unsigned seed) {
  problem_.cache.row = row_layout(shape_.row, shape_.dtype, shape_.page);
  problem_.cache.offset = kLayerOffset;
  problem_.cache.sequence_bytes = std::int64_t(kPageTokens) * problem_.cache.row.bytes;
  const int count = (shape_.tokens + kPageTokens - 1) / kPageTokens;
  std::vector<const std::byte*> table(std::size_t(count) + 2, nullptr);  // as long as the context
  std::vector<int> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), std::mt19937(seed));
  for (const int page : order) {
    pages_.push_back(to_device(stream_, page_bytes(page)));
    table[std::size_t(page)] = pages_.back().data();
  }
  table_ = to_device(stream_, table);
  problem_.cache.pages = table_.data();
}

std::vector<std::byte> AttentionCase::page_bytes(int page) const {
  const RowLayout& layout = problem_.cache.row;
  const std::size_t row = std::size_t(layout.bytes), sequence = kPageTokens * row;
  std::vector<std::byte> bytes(kLayerOffset + sequence * shape_.batch, std::byte(0xff));
  for (int s = 0; s < shape_.batch; ++s)
    for (int t = page * kPageTokens; t < std::min(shape_.tokens, (page + 1) * kPageTokens); ++t) {
      std::byte* at = bytes.data() + kLayerOffset + std::size_t(s) * sequence;
      const std::byte* from = caches_[std::size_t(s)].row(t);
      const int slot = t % kPageTokens;
      if (shape_.page == PageLayout::rows) {
        std::memcpy(at + std::size_t(slot) * row, from, row);
      } else {
        for (int column = 0; column < layout.values; ++column)
          std::memcpy(at + place_in_tiles(slot, column), from + 2 * column, 2);
      }
    }
  return bytes;
}

AttentionResult AttentionCase::run(const DeviceFacts& device, bool trace) {
  DeviceAttention a = problem_;
  const std::size_t rows = std::size_t(a.positions) * a.heads, keys = std::size_t(a.most_keys);
  Array<float> out(rows * a.batch * a.layout.value), weights(trace ? rows * keys : 0), nope(trace ? rows * keys : 0),
      rope(trace && a.layout.rope ? rows * keys : 0);
  Array<std::byte> workspace(std::size_t(attention_workspace(device, a)));
  a.out = out.data();
  a.trace = {weights.data(), nope.data(), rope.data(), std::int64_t(keys)};
  attend(stream_, device, a, workspace.data());
  AttentionResult result;
  result.out = to_host(stream_, out);
  const auto keep = [&](const Array<float>& array, std::vector<float>& to) {
    if (array.size() == 0) return;
    const std::vector<float> from = to_host(stream_, array);
    to.assign(rows * shape_.tokens, 0);
    for (std::size_t r = 0; r < rows; ++r)
      for (int t = 0; t <= shape_.tokens - a.positions + int(r) / a.heads; ++t)
        to[r * shape_.tokens + std::size_t(t)] = from[r * keys + std::size_t(t)];
  };
  keep(weights, result.weights);
  keep(nope, result.nope);
  keep(rope, result.rope);
  return result;
}

std::vector<float> AttentionCase::stored_rows(int sequence) const {
  const KvCache& cache = caches_[std::size_t(sequence)];
  std::vector<float> rows(std::size_t(shape_.tokens) * cache.row_values());
  for (int t = 0; t < shape_.tokens; ++t)
    cache.read(kernels(), t, 0, rows.data() + std::ptrdiff_t(t) * cache.row_values(), cache.row_values());
  return rows;
}

AttentionResult AttentionCase::empty_result() const {
  const std::size_t traced = std::size_t(shape_.positions) * shape_.heads * shape_.tokens;
  AttentionResult result;
  result.out.resize(std::size_t(shape_.positions) * shape_.batch * shape_.heads * shape_.layout.value);
  result.weights.assign(traced, 0);
  result.nope.assign(traced, 0);
  if (shape_.layout.rope) result.rope.assign(traced, 0);
  return result;
}

AttentionResult AttentionCase::expected() const {
  AttentionResult result = empty_result();
  for (int s = 0; s < shape_.batch; ++s) {
    const std::vector<float> rows = stored_rows(s);
    for (int i = 0; i < shape_.positions; ++i)
      for (int h = 0; h < shape_.heads; ++h) expect_query(rows, i, s, h, result);
  }
  return result;
}

void AttentionCase::expect_query(const std::vector<float>& rows, int position, int sequence, int head,
                                 AttentionResult& result) const {
  const KvLayout& l = shape_.layout;
  const int keys = shape_.tokens - shape_.positions + position + 1, g = head * l.kv_heads / shape_.heads;
  const std::size_t width = rows.size() / std::size_t(shape_.tokens);
  const std::size_t query = (std::size_t(position) * shape_.batch + sequence) * shape_.heads + head;
  std::vector<double> nope, rope, weights, sums(std::size_t(l.value), 0);
  for (int t = 0; t < keys; ++t) {
    const float* row = rows.data() + std::size_t(t) * width;
    nope.push_back(dot(q_nope_.data() + query * l.nope, row + l.nope_offset + g * l.nope_stride, l.nope));
    rope.push_back(dot(q_rope_.data() + query * l.rope, row + l.rope_offset + g * l.rope_stride, l.rope));
    weights.push_back(nope.back() + rope.back());
  }
  const double top = *std::max_element(weights.begin(), weights.end());
  double total = 0;
  for (double& weight : weights) total += weight = std::exp(weight - top);
  for (int t = 0; t < keys; ++t) {
    weights[std::size_t(t)] /= total;
    const float* value = rows.data() + std::size_t(t) * width + l.value_offset + g * l.value_stride;
    for (int j = 0; j < l.value; ++j) sums[std::size_t(j)] += weights[std::size_t(t)] * value[j];
  }
  std::copy(sums.begin(), sums.end(), result.out.begin() + std::ptrdiff_t(query) * l.value);
  if (sequence > 0) return;
  const std::ptrdiff_t at = (std::ptrdiff_t(position) * shape_.heads + head) * shape_.tokens;
  std::copy(weights.begin(), weights.end(), result.weights.begin() + at);
  std::copy(nope.begin(), nope.end(), result.nope.begin() + at);
  if (l.rope) std::copy(rope.begin(), rope.end(), result.rope.begin() + at);
}

AttentionResult AttentionCase::on_processor() const {
  AttentionProblem p;
  for (const KvCache& cache : caches_) p.sequences.push_back({&cache, shape_.layout, {}});
  p.first = shape_.tokens - shape_.positions;
  p.positions = shape_.positions;
  p.heads = shape_.heads;
  p.q_nope = q_nope_.data();
  p.q_rope = q_rope_.data();
  ThreadPool pool(1);
  AttentionKernel kernel(kernels(), pool);
  AttentionResult result = empty_result();
  kernel.scores(p);
  kernel.softmax(p, true);
  kernel.values(p, 0, result.out.data());
  for (int i = 0; i < shape_.positions; ++i) {
    const auto row = kernel.row(p, i, 0);
    const auto copy = [&](const std::vector<float>& from, std::vector<float>& to) {
      for (int h = 0; h < shape_.heads && !from.empty(); ++h)
        std::copy_n(from.begin() + std::ptrdiff_t(h) * row->keys, row->keys,
                    to.begin() + (std::ptrdiff_t(i) * shape_.heads + h) * shape_.tokens);
    };
    copy(row->weights, result.weights);
    copy(row->scores_nope, result.nope);
    copy(row->scores_rope, result.rope);
  }
  return result;
}

double error_of(const std::vector<float>& got, const std::vector<float>& want, double range) {
  if (got.size() != want.size()) return 1e300;
  double worst = 0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    range = std::max(range, std::abs(double(want[i])));
    const double difference = std::abs(double(got[i]) - want[i]);
    worst = std::isnan(difference) ? 1e300 : std::max(worst, difference);
  }
  return range > 0 ? worst / range : worst;
}

double tolerance_of(const std::string& kernel, CacheDtype dtype) {
  if (kernel == "plain_attention" || kernel.starts_with("grouped_decode") || kernel == "prefill_tiled") return 2e-5;
  if (dtype == CacheDtype::fp16) return 2.0 * 0x1p-11;
  return dtype == CacheDtype::int8 ? 3.0 * 0x1p-8 : 2.0 * 0x1p-8;
}

AttentionResult expect_attention(AttentionCase& attention, const DeviceFacts& device, const AttentionResult& want) {
  SCOPED_TRACE(attention.shape().text());
  DeviceAttention traced = attention.problem();
  float somewhere;
  traced.trace.weights = &somewhere;
  const std::string kernel = attention_kernel_of(device, traced);
  const double tolerance = tolerance_of(kernel, attention.shape().dtype);
  LaunchLog log;
  const AttentionResult got = attention.run(device, true);
  EXPECT_EQ(log.names().front(), kernel);
  EXPECT_LE(error_of(got.out, want.out), tolerance) << kernel;
  EXPECT_LE(error_of(got.weights, want.weights), tolerance) << kernel;
  EXPECT_LE(error_of(got.nope, want.nope, kScoreDeviation), tolerance) << kernel;
  EXPECT_LE(error_of(got.rope, want.rope, kScoreDeviation), tolerance) << kernel;
  return got;
}

}  // namespace mla::gpu::testing
