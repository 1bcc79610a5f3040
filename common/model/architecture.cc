// SPDX-License-Identifier: Apache-2.0
#include "common/model/architecture.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/rng.h"
#include "common/crypto/sha256.h"
#include "common/model/hilum_small.h"
#include "common/model/vgg16.h"

namespace hilum {
namespace {

constexpr int kMaxClasses = 10000;

struct Family {
  absl::string_view name;
  Architecture (*build)(int num_classes);
};

constexpr Family kFamilies[] = {{"hilum_small", HilumSmall}, {"vgg16", Vgg16}};

}  // namespace

int64_t TensorSpec::size() const {
  int64_t product = 1;
  for (int64_t extent : shape) product *= extent;
  return product;
}

std::vector<std::string> KnownArchitectures() {
  std::vector<std::string> names;
  for (const Family& family : kFamilies) names.emplace_back(family.name);
  return names;
}

absl::StatusOr<Architecture> LookUpArchitecture(absl::string_view name,
                                                int num_classes) {
  if (num_classes < 2 || num_classes > kMaxClasses) {
    return absl::InvalidArgumentError(absl::StrCat(
        "model: ", num_classes, " classes; give 2 to ", kMaxClasses));
  }
  for (const Family& family : kFamilies) {
    if (family.name == name) return family.build(num_classes);
  }
  return absl::NotFoundError(absl::StrCat(
      "model: unknown architecture '", name, "'; known: ",
      absl::StrJoin(kFamilies, ", ", [](std::string* out, const Family& f) {
        absl::StrAppend(out, f.name);
      })));
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
