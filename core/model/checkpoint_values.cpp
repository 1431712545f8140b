#include "core/model/checkpoint_values.h"

#include "core/io/fp8.h"
#include "core/spec/text.h"

namespace mla {
namespace {

std::int64_t blocks(std::int64_t extent, std::int64_t block) { return (extent + block - 1) / block; }

/// "file: tensor name", as every message starts.
std::string where(std::string_view file, const std::string& name) {
  return std::string(file) + ": tensor " + printable(name);
}

Result<const StoredTensor*> find_shaped(const TensorFiles& files, const std::string& name,
                                        const std::vector<std::int64_t>& shape) {
  const StoredTensor* const stored = files.find(name);
  if (!stored)
    return Error{where(files.path(), name) + " is missing; config.json asks for it with shape " + shape_text(shape)};
  if (stored->view->shape == shape) return stored;
  return Error{where(stored->file, name) + " has shape " + shape_text(stored->view->shape) + "; config.json asks for " +
               shape_text(shape)};
}

Status check_fp8(const StoredTensor& stored, const CheckpointConfig& config, const PlannedTensor& planned) {
  const std::string start = where(stored.file, planned.name) + " is F8_E4M3";
  if (!config.fp8) return Error{start + ", but config.json has no quantization_config"};
  if (planned.shape.size() != 2) return Error{start + "; only matrices have scales"};
  return {};
}

/// The stored bytes of row `r` of `rows`.
std::span<const std::byte> row_bytes(const TensorView& tensor, std::int64_t r, std::int64_t rows) {
  const std::size_t size = tensor.bytes.size() / static_cast<std::size_t>(rows);
  return tensor.bytes.subspan(static_cast<std::size_t>(r) * size, size);
}

}  // namespace

std::string scale_name(const PlannedTensor& planned) { return planned.name + "_scale_inv"; }

Result<TensorSource> find_source(const TensorFiles& files, const CheckpointConfig& config, const PlannedTensor& planned) {
  const Result<const StoredTensor*> stored = find_shaped(files, planned.name, planned.shape);
  if (!stored) return stored.error();
  TensorSource source{.tensor = (*stored)->view, .pairs = planned.pairs};
  const TensorDtype dtype = source.tensor->dtype;
  if (converts_to_fp32(dtype)) return source;
  if (dtype != TensorDtype::f8_e4m3) {
    return Error{where((*stored)->file, planned.name) + " is " + std::string(name_of(dtype)) +
                 "; F32, F16, BF16 and F8_E4M3 are read"};
  }
  if (Status status = check_fp8(**stored, config, planned); !status) return status.error();
  source.block = *config.fp8;
  const Result<const StoredTensor*> scale =
      find_shaped(files, scale_name(planned),
                  {blocks(planned.shape[0], source.block.rows), blocks(planned.shape[1], source.block.cols)});
  if (!scale) return scale.error();
  source.scale = (*scale)->view;
  if (converts_to_fp32(source.scale->dtype)) return source;
  return Error{where((*scale)->file, scale_name(planned)) + " is " + std::string(name_of(source.scale->dtype)) +
               "; scales are F32, F16 or BF16"};
}

Buffer<float> convert(const TensorSource& source) {
  const TensorView& tensor = *source.tensor;
  Buffer<float> values(static_cast<std::size_t>(tensor.elements()));
  if (!source.scale && source.pairs.rope == 0) {
    to_fp32(tensor, values.span());
    return values;
  }
  const std::int64_t rows = tensor.shape[0];
  const std::size_t cols = values.size() / static_cast<std::size_t>(rows);
  std::vector<float> scales(source.scale ? static_cast<std::size_t>(source.scale->shape[1]) : 0);
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t from = source.pairs.source(r);
    const std::span<float> out = values.span().subspan(static_cast<std::size_t>(r) * cols, cols);
    if (!source.scale) {
      to_fp32(tensor.dtype, row_bytes(tensor, from, rows), out);
      continue;
    }
    const TensorView& scale = *source.scale;
    to_fp32(scale.dtype, row_bytes(scale, from / source.block.rows, scale.shape[0]), scales);
    dequantise_e4m3(row_bytes(tensor, from, rows), scales, source.block.cols, out);
  }
  return values;
}

}  // namespace mla
