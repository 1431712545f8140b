#include "tests/bench/gpu/cases.h"

#include <algorithm>
#include <span>

#include "core/cache/row_format.h"
#include "core/engine/decoder.h"
#include "core/tensor/kernels.h"

namespace mla::gpu::bench {
namespace {

constexpr int kLatent = 512, kRope = 64;
constexpr std::int64_t kBeyondCaches = 256ll << 20;  // bytes between two uses of the same rows
constexpr int kTemplatePages = 16;                   // of random rows, repeated in the whole cache
constexpr int kReplays = 15;

double middle(std::vector<double> values, double at) {
  std::sort(values.begin(), values.end());
  return values[std::size_t(at * double(values.size() - 1))];
}

std::vector<RowSegment> segments() { return {{kLatent}, {kRope, 1, true}}; }

/// Caches of several layers, used in turn, and everything else that an attention needs.
class Setting {
 public:
  Setting(const DeviceFacts& device, const Case& c, int copies) : case_(c), copies_(copies) {
    problem_.layout = {.kv_heads = 1, .nope = kLatent, .rope = kRope, .rope_offset = kLatent, .value = kLatent};
    problem_.cache.row = row_layout(segments(), c.dtype, page_layout_for(device, segments(), c.dtype, problem_.layout));
    problem_.batch = c.batch;
    problem_.heads = c.heads;
    problem_.most_keys = c.tokens;
    fill_cache();
    const int first = c.tokens - 1;
    first_ = Array<int>(1);
    stream_.to_device(first_.data(), &first, sizeof first);
    fill_queries();
    out_ = Array<float>(std::size_t(c.batch) * c.heads * kLatent);
    problem_.first = first_.data();
    problem_.out = out_.data();
    workspace_ = Memory(std::size_t(attention_workspace(device, problem_)));
    stream_.synchronize();
  }

  /// Bytes of one copy of the cache.
  static std::int64_t cache_bytes(const Case& c) {
    return row_bytes(segments(), c.dtype) * ((c.tokens + kPageTokens - 1) / kPageTokens * kPageTokens) * c.batch;
  }

  DeviceAttention problem(int copy) const {
    DeviceAttention p = problem_;
    p.cache.offset = copy * layer_bytes();
    return p;
  }

  Stream& stream() { return stream_; }
  std::byte* workspace() { return workspace_.data(); }

 private:
  std::int64_t page_bytes() const { return std::int64_t(problem_.cache.row.bytes) * kPageTokens; }
  std::int64_t layer_bytes() const { return page_bytes() * case_.batch; }

  void fill_cache() {
    const int pages = (case_.tokens + kPageTokens - 1) / kPageTokens;
    const std::int64_t total = layer_bytes() * copies_ * pages;
    cache_ = Memory(std::size_t(total));
    const std::vector<std::byte> rows = random_rows();
    std::int64_t filled = std::min(total, std::int64_t(rows.size()));
    stream_.to_device(cache_.data(), rows.data(), std::size_t(filled));
    for (; filled < total; filled += std::min(filled, total - filled))
      stream_.copy(cache_.data() + filled, cache_.data(), std::size_t(std::min(filled, total - filled)));
    std::vector<const std::byte*> table(std::size_t(pages), nullptr);
    for (int i = 0; i < pages; ++i) table[std::size_t(i)] = cache_.data() + i * layer_bytes() * copies_;
    table_ = Array<const std::byte*>(table.size());
    stream_.to_device(table_.data(), table.data(), table_.bytes());
    stream_.synchronize();
    problem_.cache.pages = table_.data();
    problem_.cache.sequence_bytes = page_bytes();
  }

  /// Rows of unit variance, encoded as the engine does.
  std::vector<std::byte> random_rows() const {
    const RowFormat format(segments(), case_.dtype);
    std::vector<std::byte> rows(std::size_t(page_bytes()) * kTemplatePages);
    std::vector<float> values(std::size_t(format.values()));
    for (int t = 0; t < kTemplatePages * kPageTokens; ++t) {
      synthetic_input(1, t, 0, values);
      format.encode(*available_kernels().back(), 0, values.data(), format.values(), rows.data() + t * format.bytes());
    }
    return rows;
  }

  void fill_queries() {
    const std::size_t rows = std::size_t(case_.batch) * case_.heads;
    std::vector<float> nope(rows * kLatent), rope(rows * kRope);
    for (std::size_t i = 0; i < rows; ++i) {
      synthetic_input(2, int(i), 0, std::span(nope).subspan(i * kLatent, kLatent));
      synthetic_input(3, int(i), 0, std::span(rope).subspan(i * kRope, kRope));
    }
    for (float& x : nope) x *= 0.06f;  // scores with a deviation near 1.5
    for (float& x : rope) x *= 0.06f;
    nope_ = Array<float>(nope.size());
    rope_ = Array<float>(rope.size());
    stream_.to_device(nope_.data(), nope.data(), nope_.bytes());
    stream_.to_device(rope_.data(), rope.data(), rope_.bytes());
    stream_.synchronize();
    problem_.q_nope = nope_.data();
    problem_.q_rope = rope_.data();
  }

  Case case_;
  int copies_;
  Stream stream_;
  DeviceAttention problem_;
  Memory cache_, workspace_;
  Array<const std::byte*> table_;
  Array<int> first_;
  Array<float> nope_, rope_, out_;
};

/// Milliseconds of each replay of what `work` submits. It is done once before, so that its kernels have been loaded.
template <class Work>
std::vector<double> replay(Stream& stream, int replays, const Work& work) {
  work();
  stream.synchronize();
  stream.begin_capture();
  work();
  const Graph graph = stream.end_capture();
  const Event before, after;
  std::vector<double> times;
  for (int i = 0; i <= replays; ++i) {
    stream.record(before);
    stream.launch(graph);
    stream.record(after);
    stream.synchronize();
    if (i > 0) times.push_back(milliseconds_between(before, after));  // the first one warms up
  }
  return times;
}

}  // namespace

std::string Case::name() const {
  return "mla-absorbed-b" + std::to_string(batch) + "-h" + std::to_string(heads) + "-t" + std::to_string(tokens) + "-" +
         std::string(name_of(dtype));
}

double Case::operations() const { return 2.0 * batch * heads * tokens * (kLatent + kRope + kLatent); }

double Case::bytes() const {
  return double(batch) * (double(tokens) * double(row_bytes(segments(), dtype)) + 4.0 * heads * (kLatent + kRope + kLatent));
}

std::vector<Case> all_cases(bool small) {
  if (small) return {{1, 16, 130, CacheDtype::bf16}, {2, 3, 65, CacheDtype::fp8}};
  std::vector<Case> cases;
  for (const CacheDtype dtype : {CacheDtype::bf16, CacheDtype::fp8})
    for (const int tokens : {4096, 32768})
      for (const int batch : {1, 32, 128})
        for (const int heads : {16, 32, 64, 128}) cases.push_back({batch, heads, tokens, dtype});
  return cases;
}

Timing measure(const DeviceFacts& device, const Case& c, bool small) {
  Timing timing;
  const std::int64_t each = Setting::cache_bytes(c), free = free_memory();
  timing.copies = small ? 2 : int(std::max<std::int64_t>(1, (kBeyondCaches + each - 1) / each));
  if (each * timing.copies > free / 10 * 9) {
    timing.refusal = "needs " + std::to_string(each * timing.copies) + " bytes, " + std::to_string(free) + " are free";
    return timing;
  }
  Setting setting(device, c, timing.copies);
  timing.kernel = attention_kernel_of(device, setting.problem(0));
  const int launches = small ? 2 : std::max(timing.copies, 4);
  std::vector<double> times = replay(setting.stream(), small ? 2 : kReplays, [&] {
    for (int i = 0; i < launches; ++i)
      attend(setting.stream(), device, setting.problem(i % timing.copies), setting.workspace());
  });
  for (double& ms : times) ms /= launches;
  timing.ms = middle(times, 0.5);
  timing.low = middle(times, 0.1);
  timing.high = middle(times, 0.9);
  return timing;
}

}  // namespace mla::gpu::bench
