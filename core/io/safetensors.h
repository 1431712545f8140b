#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/spec/result.h"

namespace mla {

/// Element types that a safetensors header may name.
enum class TensorDtype { boolean, u8, i8, f8_e5m2, f8_e4m3, i16, u16, f16, bf16, i32, u32, f32, i64, u64, f64 };

/// As the header writes it: "F32", "BF16", …
std::string_view name_of(TensorDtype dtype);

/// One tensor of an open file, row-major little-endian. Points into the file; the bytes are not aligned.
struct TensorView {
  std::string name;
  TensorDtype dtype = TensorDtype::f32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
  std::int64_t elements() const;
};

/// "[3, 4]", for messages.
std::string shape_text(std::span<const std::int64_t> shape);

/// A safetensors file, mapped read-only. Open until the last copy is gone; views must not outlive it.
class Safetensors {
 public:
  /// Checks the whole header before anything is mapped in: its length, its JSON, each dtype, shape and place, and that the
  /// tensors fill the file without gap or overlap. The error names the file, the tensor and the rule.
  static Result<Safetensors> open(const std::string& path);

  const std::string& path() const { return path_; }
  /// In the order of their bytes.
  const std::vector<TensorView>& tensors() const { return tensors_; }
  /// Null where the file has no such tensor.
  const TensorView* find(std::string_view name) const;

 private:
  std::string path_;
  std::shared_ptr<const void> mapping_;
  std::vector<TensorView> tensors_;
};

/// Whether to_fp32 takes it: F32, F16 and BF16.
bool converts_to_fp32(TensorDtype dtype);

/// The elements in `bytes` as fp32, exactly; `out` holds as many, and the dtype is one that converts_to_fp32.
void to_fp32(TensorDtype dtype, std::span<const std::byte> bytes, std::span<float> out);

/// The values as fp32, exactly; `out` holds tensor.elements() values and the dtype converts_to_fp32.
void to_fp32(const TensorView& tensor, std::span<float> out);

/// The named tensor as fp32; the error names the file and the tensor that is missing or of another type.
Result<std::vector<float>> read_fp32(const Safetensors& file, std::string_view name);

/// A tensor to be written; `values` fills `shape`, row-major.
struct NamedTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::span<const float> values;
};

/// Writes fp32 tensors, the file whole or not at all. Refuses names that repeat and values that do not fill their shape.
Status write_safetensors(const std::string& path, std::span<const NamedTensor> tensors);

}  // namespace mla
