#include "core/engine/trace.h"

namespace mla {

std::string_view name_of(Stage stage) {
  switch (stage) {
    case Stage::query:
      return "query projection";
    case Stage::append:
      return "cache append";
    case Stage::scores:
      return "scores";
    case Stage::softmax:
      return "softmax";
    case Stage::values:
      return "values";
    case Stage::output:
      return "output projection";
    case Stage::feed_forward:
      return "feed-forward";
    case Stage::other:
      return "embedding, norms, logits";
  }
  return "";
}

std::string_view name_of(StageSplit split) {
  switch (split) {
    case StageSplit::measured:
      return "measured";
    case StageSplit::thread_times:
      return "thread times";
    case StageSplit::operations:
      return "operations";
  }
  return "";
}

void Work::count_product(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t weights) {
  operations += 2 * m * n * k;
  weight_bytes += weights;
}

Work& Work::operator+=(const Work& other) {
  operations += other.operations;
  weight_bytes += other.weight_bytes;
  cache_read_bytes += other.cache_read_bytes;
  cache_write_bytes += other.cache_write_bytes;
  return *this;
}

}  // namespace mla
