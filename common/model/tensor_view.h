// SPDX-License-Identifier: Apache-2.0
// Views of tensors in a file's bytes.
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
  absl::string_view name;         // for people: float32
  absl::string_view safetensors;  // F32
  absl::string_view storage;      // torch's class: FloatStorage
  uint64_t size;                  // bytes
};

const ElementTypeInfo& InfoOf(ElementType type);
absl::Span<const ElementTypeInfo> ElementTypes();

// Returns whether weights can have this type: float32, float64, float16,
// bfloat16.
bool IsFloating(ElementType type);

// Little-endian elements of a storage, whose bytes it does not own.
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

// The content of a file of weights.
struct WeightsContent {
  std::vector<NamedTensor> tensors;
  // The file's metadata: safetensors' __metadata__, and facts that follow from
  // the class of a whole module (preprocessing.h).
  std::map<std::string, std::string> metadata;
};

// Checks that every element lies in the storage, and that the view has no more
// elements than the storage. INVALID_ARGUMENT gives the reason.
absl::Status CheckView(const TensorView& view);

// Writes the elements as float32, row-major, to `to` [view.size()]; rounds
// float64 to nearest. `view` passed CheckView. INVALID_ARGUMENT: a type that is
// no weight (bool), or a NaN or infinity, also one from rounding; `name` is for
// the message.
absl::Status CopyAsFloat32(absl::string_view name, const TensorView& view,
                           float* to);

std::vector<int64_t> RowMajorStrides(const std::vector<int64_t>& shape);
std::string ShapeText(const std::vector<int64_t>& shape);  // "[64, 3]"

// Returns a file's name for a tensor in a safe form for a message or a table:
// no control characters, at most 120 bytes.
std::string Shown(absl::string_view name);

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_TENSOR_VIEW_H_
