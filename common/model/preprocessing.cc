// SPDX-License-Identifier: Apache-2.0
#include "common/model/preprocessing.h"

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/model/tensor_view.h"

namespace hilum {
namespace {

struct Preset {
  absl::string_view name;
  v1::Model::Preprocessing value;
};

constexpr Preset kPresets[] = {
    {"hilum", v1::Model::PREPROCESSING_HILUM},
    {"imagenet", v1::Model::PREPROCESSING_IMAGENET},
    {"torchxrayvision", v1::Model::PREPROCESSING_TORCHXRAYVISION}};

ChannelScales Equal(int channels, float scale, float shift) {
  const size_t n = static_cast<size_t>(channels);
  return {.scale = std::vector<float>(n, scale),
          .shift = std::vector<float>(n, shift)};
}

ChannelScales Standardised(const std::vector<double>& means,
                           const std::vector<double>& deviations) {
  ChannelScales scales;
  for (size_t c = 0; c < means.size(); ++c) {
    scales.scale.push_back(static_cast<float>(1 / deviations[c]));
    scales.shift.push_back(static_cast<float>(-means[c] / deviations[c]));
  }
  return scales;
}

}  // namespace

std::string PreprocessingName(v1::Model::Preprocessing preset) {
  for (const Preset& known : kPresets) {
    if (known.value == preset) return std::string(known.name);
  }
  return "unspecified";
}

absl::StatusOr<v1::Model::Preprocessing> ParsePreprocessing(
    absl::string_view name) {
  for (const Preset& known : kPresets) {
    if (known.name == name) return known.value;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("preprocessing '", Shown(name),
                   "' is unknown; known: hilum, imagenet, torchxrayvision"));
}

absl::StatusOr<std::optional<v1::Model::Preprocessing>> PreprocessingOf(
    const std::map<std::string, std::string>& metadata) {
  auto found = metadata.find(kPreprocessingKey);
  if (found == metadata.end()) return std::nullopt;
  HILUM_ASSIGN_OR_RETURN(v1::Model::Preprocessing preset,
                         ParsePreprocessing(found->second));
  return preset;
}

ChannelScales ScalesOf(v1::Model::Preprocessing preset, int channels) {
  if (preset == v1::Model::PREPROCESSING_TORCHXRAYVISION) {
    return Equal(channels, 2048, -1024);
  }
  if (preset != v1::Model::PREPROCESSING_IMAGENET) {
    return Equal(channels, 4, -2);
  }
  return channels == 1
             ? Standardised({0.449}, {0.226})
             : Standardised({0.485, 0.456, 0.406}, {0.229, 0.224, 0.225});
}

}  // namespace hilum
