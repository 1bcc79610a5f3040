// SPDX-License-Identifier: Apache-2.0
#include "common/model/architecture.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/rng.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "common/model/densenet.h"
#include "common/model/hilum_small.h"
#include "common/model/lungs_unet.h"
#include "common/model/resnet.h"
#include "common/model/vgg.h"

namespace hilum {
namespace {

constexpr int kMaxClasses = 10000;
constexpr int kMaxHeadUnits = 4096;

struct Family {
  absl::string_view name;
  int input_channels;  // the architecture's own
  Architecture (*build)(const ModelShape& shape);
  bool classifies = true;
};

constexpr Family kFamilies[] = {
    {"hilum_small", 1, HilumSmall},
    {"vgg16", 3, Vgg},
    {"vgg16_bn", 3, Vgg},
    {"resnet18", 3, ResNet},
    {"resnet50", 3, ResNet},
    {"densenet121", 3, DenseNet121},
    {"hilum_lungs_unet", 1, LungsUNet, /*classifies=*/false}};

absl::Status CheckShape(const ModelShape& shape) {
  if (shape.classes < 2 || shape.classes > kMaxClasses) {
    return absl::InvalidArgumentError(absl::StrCat(
        "model: ", shape.classes, " classes; give 2 to ", kMaxClasses));
  }
  if (shape.head_units < 0 || shape.head_units > kMaxHeadUnits) {
    return absl::InvalidArgumentError(absl::StrCat(
        "model.head_units: ", shape.head_units, "; give 0 to ", kMaxHeadUnits));
  }
  if (shape.input_channels != 0 && shape.input_channels != 1 &&
      shape.input_channels != 3) {
    return absl::InvalidArgumentError(absl::StrCat(
        "model.input_channels: ", shape.input_channels, "; give 1 or 3"));
  }
  return absl::OkStatus();
}

}  // namespace

int64_t TensorSpec::size() const {
  int64_t product = 1;
  for (int64_t extent : shape) product *= extent;
  return product;
}

std::vector<std::string> KnownArchitectures() {
  std::vector<std::string> names;
  for (const Family& family : kFamilies) {
    if (family.classifies) names.emplace_back(family.name);
  }
  return names;
}

absl::StatusOr<Architecture> LookUpArchitecture(const ModelShape& shape) {
  HILUM_RETURN_IF_ERROR(CheckShape(shape));
  for (const Family& family : kFamilies) {
    if (family.name != shape.name) continue;
    ModelShape full = shape;
    if (full.input_channels == 0) full.input_channels = family.input_channels;
    return family.build(full);
  }
  return absl::NotFoundError(
      absl::StrCat("model: unknown architecture '", shape.name,
                   "'; known: ", absl::StrJoin(KnownArchitectures(), ", ")));
}

std::string ManifestSha256(const std::vector<TensorSpec>& tensors) {
  Sha256 digest;
  for (const TensorSpec& tensor : tensors) {
    digest.Update(absl::StrCat(tensor.name, " float32 [",
                               absl::StrJoin(tensor.shape, ","), "]\n"));
  }
  return digest.Finish();
}

std::vector<float> InitialTensor(const TensorSpec& tensor, uint64_t seed) {
  const size_t size = static_cast<size_t>(tensor.size());
  if (tensor.init != Init::kHeNormal) {
    return std::vector<float>(size, tensor.init == Init::kOne ? 1.0f : 0.0f);
  }
  std::vector<float> values;
  values.reserve(size);
  const int64_t fan = tensor.size() / tensor.shape[0];  // without remainder
  const double fan_in = static_cast<double>(fan);
  const double deviation = std::sqrt(2.0 / fan_in);
  Rng rng(seed, absl::StrCat("initial/", tensor.name));
  for (size_t i = 0; i < size; ++i) {
    values.push_back(static_cast<float>(deviation * rng.Normal()));
  }
  return values;
}

std::vector<float> InitialWeights(const Architecture& architecture,
                                  uint64_t seed) {
  int64_t total = 0;
  for (const TensorSpec& tensor : architecture.tensors) total += tensor.size();
  std::vector<float> weights;
  weights.reserve(static_cast<size_t>(total));
  for (const TensorSpec& tensor : architecture.tensors) {
    const std::vector<float> values = InitialTensor(tensor, seed);
    weights.insert(weights.end(), values.begin(), values.end());
  }
  return weights;
}

}  // namespace hilum
