// SPDX-License-Identifier: Apache-2.0
#include "common/model/tensor_view.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace hilum {
namespace {

constexpr ElementTypeInfo kTypes[] = {
    {ElementType::kFloat32, "float32", "F32", "FloatStorage", 4},
    {ElementType::kFloat64, "float64", "F64", "DoubleStorage", 8},
    {ElementType::kFloat16, "float16", "F16", "HalfStorage", 2},
    {ElementType::kBfloat16, "bfloat16", "BF16", "BFloat16Storage", 2},
    {ElementType::kInt64, "int64", "I64", "LongStorage", 8},
    {ElementType::kInt32, "int32", "I32", "IntStorage", 4},
    {ElementType::kInt16, "int16", "I16", "ShortStorage", 2},
    {ElementType::kInt8, "int8", "I8", "CharStorage", 1},
    {ElementType::kUint8, "uint8", "U8", "ByteStorage", 1},
    {ElementType::kBool, "bool", "BOOL", "BoolStorage", 1}};

constexpr int64_t kMaxExtent = int64_t{1} << 40;

template <typename T>
T Load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

float FromBfloat16(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

// Converts IEEE 754 binary16. A subnormal is its fraction times 2^-24, exactly.
float FromFloat16(uint16_t bits) {
  const uint32_t exponent = (bits >> 10) & 31;
  const uint32_t fraction = bits & 1023;
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  float magnitude;
  if (exponent == 0) {
    magnitude = std::ldexp(static_cast<float>(fraction), -24);
  } else if (exponent == 31) {
    magnitude = fraction == 0 ? INFINITY : NAN;
  } else {
    magnitude = std::bit_cast<float>((exponent + 112) << 23 | fraction << 13);
  }
  return std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | sign);
}

using Converter = float (*)(const char*);

Converter ConverterOf(ElementType type) {
  switch (type) {
    case ElementType::kFloat32:
      return [](const char* at) { return Load<float>(at); };
    case ElementType::kFloat64:
      return
          [](const char* at) { return static_cast<float>(Load<double>(at)); };
    case ElementType::kFloat16:
      return [](const char* at) { return FromFloat16(Load<uint16_t>(at)); };
    case ElementType::kBfloat16:
      return [](const char* at) { return FromBfloat16(Load<uint16_t>(at)); };
    case ElementType::kInt64:
      return
          [](const char* at) { return static_cast<float>(Load<int64_t>(at)); };
    default:
      return nullptr;
  }
}

// Copies elements in row-major order, by an odometer over all dimensions.
void Gather(const TensorView& view, Converter convert, float* to) {
  const uint64_t bytes = InfoOf(view.type).size;
  const int64_t count = view.size();
  std::vector<int64_t> index(view.shape.size(), 0);
  uint64_t at = view.offset;
  for (int64_t i = 0; i < count; ++i) {
    to[i] = convert(view.storage.data() + at * bytes);
    for (size_t d = index.size(); d-- > 0;) {
      const uint64_t stride = static_cast<uint64_t>(view.strides[d]);
      at += stride;
      if (++index[d] < view.shape[d]) break;
      at -= stride * static_cast<uint64_t>(view.shape[d]);
      index[d] = 0;
    }
  }
}

}  // namespace

const ElementTypeInfo& InfoOf(ElementType type) {
  return kTypes[static_cast<size_t>(type)];
}

absl::Span<const ElementTypeInfo> ElementTypes() { return kTypes; }

bool IsFloating(ElementType type) { return type <= ElementType::kBfloat16; }

int64_t TensorView::size() const {
  int64_t product = 1;
  for (int64_t extent : shape) {
    if (extent == 0) return 0;
    product *= extent;
  }
  return product;
}

absl::Status CheckView(const TensorView& view) {
  auto bad = [&](absl::string_view what) {
    return absl::InvalidArgumentError(
        absl::StrCat("shape ", ShapeText(view.shape), ": ", what));
  };
  const size_t dimensions = view.shape.size();
  if (dimensions > 8 || dimensions != view.strides.size()) {
    return bad("over 8 dimensions, or not a stride for each");
  }
  const uint64_t elements = view.storage.size() / InfoOf(view.type).size;
  bool empty = false;
  for (size_t d = 0; d < dimensions; ++d) {
    if (view.shape[d] < 0 || view.shape[d] > kMaxExtent || view.strides[d] < 0)
      return bad("a size or stride that is none");
    empty |= view.shape[d] == 0;
  }
  if (empty) return absl::OkStatus();
  if (view.offset >= elements) return bad("begins past its storage");
  uint64_t last = view.offset;  // stays below `elements`, so nothing wraps
  uint64_t count = 1;
  for (size_t d = 0; d < dimensions; ++d) {
    const uint64_t extent = static_cast<uint64_t>(view.shape[d]);
    const uint64_t stride = static_cast<uint64_t>(view.strides[d]);
    if (extent > elements / count) return bad("more than its storage has");
    count *= extent;
    if (stride > 0 && extent - 1 > (elements - 1 - last) / stride) {
      return bad("reaches past its storage");
    }
    last += (extent - 1) * stride;
  }
  return absl::OkStatus();
}

absl::Status CopyAsFloat32(absl::string_view name, const TensorView& view,
                           float* to) {
  const Converter convert = ConverterOf(view.type);
  if (convert == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("tensor ", Shown(name), " is ", InfoOf(view.type).name,
                     ", which no weights are"));
  }
  const int64_t count = view.size();
  if (count == 0) return absl::OkStatus();
  if (view.type == ElementType::kFloat32 &&
      view.strides == RowMajorStrides(view.shape)) {
    std::memcpy(to, view.storage.data() + view.offset * 4,
                static_cast<size_t>(count) * 4);
  } else {
    Gather(view, convert, to);
  }
  for (int64_t i = 0; i < count; ++i) {
    if (std::isfinite(to[i])) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "tensor ", Shown(name), " holds NaN or infinity at element ", i));
  }
  return absl::OkStatus();
}

std::vector<int64_t> RowMajorStrides(const std::vector<int64_t>& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  uint64_t stride = 1;  // may wrap for an empty tensor
  for (size_t d = shape.size(); d-- > 1;) {
    stride *= static_cast<uint64_t>(shape[d]);
    strides[d - 1] = static_cast<int64_t>(stride);
  }
  return strides;
}

std::string ShapeText(const std::vector<int64_t>& shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

std::string Shown(absl::string_view name) {
  constexpr size_t kMost = 120;
  std::string shown = absl::Utf8SafeCHexEscape(name.substr(0, kMost));
  if (name.size() > kMost) shown += "...";
  return shown;
}

}  // namespace hilum
