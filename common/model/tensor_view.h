// SPDX-License-Identifier: Apache-2.0
// Tensors where they lie in a file.
#ifndef HILUM_COMMON_MODEL_TENSOR_VIEW_H_
#define HILUM_COMMON_MODEL_TENSOR_VIEW_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hilum {

enum class ElementType : uint8_t {
  kFloat32,
  kFloat64,
  kFloat16,
  kBfloat16,
  kInt64,
  kInt32,
  kInt16,
  kInt8,
  kUint8,
  kBool,
};

struct ElementTypeInfo {
  ElementType type;
  absl::string_view name;         // as people write it: float32
  absl::string_view safetensors;  // F32
  absl::string_view storage;      // torch's class: FloatStorage
  uint64_t size;                  // bytes
};

const ElementTypeInfo& InfoOf(ElementType type);
absl::Span<const ElementTypeInfo> ElementTypes();

// float32, float64, float16, bfloat16: what weights are made of.
bool IsFloating(ElementType type);

// Little-endian elements of a storage. It does not own the bytes.
struct TensorView {
  ElementType type = ElementType::kFloat32;
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;  // elements, one a dimension
  uint64_t offset = 0;           // elements
  absl::string_view storage;     // whole elements

  int64_t size() const;  // elements; valid after CheckView
};

struct NamedTensor {
  std::string name;
  TensorView view;
};

// What a file of weights holds.
struct WeightsContent {
  std::vector<NamedTensor> tensors;
  // What it says of itself: safetensors' __metadata__, and what is known of
  // the class of a whole module (preprocessing.h).
  std::map<std::string, std::string> metadata;
};

// OK: every element lies in the storage, and the view has no more elements
// than that has. INVALID_ARGUMENT says why not.
absl::Status CheckView(const TensorView& view);

// The elements as float32, row-major, to `to` [view.size()]; float64 is
// rounded to nearest. `view` passed CheckView. INVALID_ARGUMENT: not a number
// type that float32 holds as weights (bool), or a NaN or infinity, one that
// rounding makes included; `name` is for that message.
absl::Status CopyAsFloat32(absl::string_view name, const TensorView& view,
                           float* to);

std::vector<int64_t> RowMajorStrides(const std::vector<int64_t>& shape);
std::string ShapeText(const std::vector<int64_t>& shape);  // "[64, 3]"

// A name from a file, fit for a message or a table: no control characters,
// at most 120 bytes.
std::string Shown(absl::string_view name);

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_TENSOR_VIEW_H_
