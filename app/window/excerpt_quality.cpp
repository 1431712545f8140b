#include "app/window/excerpt_quality.h"

#include "core/analysis/quality.h"
#include "core/model/model_catalog.h"

namespace mla {

Result<std::optional<double>> excerpt_bits_per_byte(const LoadedModel& model, ComputeBackend& backend) {
  if (model.weights->random || !model.vocabulary.has_text()) return std::optional<double>();
  const Result<std::string> excerpt = held_out_excerpt();
  if (!excerpt) return excerpt.error();
  const Result<Quality> quality = measure_quality(model, backend, *excerpt);
  if (!quality) return quality.error();
  return std::optional(quality->bits_per_byte());
}

}  // namespace mla
