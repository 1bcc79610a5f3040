// SPDX-License-Identifier: Apache-2.0
// How gray values become what a network was trained on. The presets travel
// with weights, as what is trained on one computes nonsense on another.
#ifndef HILUM_COMMON_MODEL_PREPROCESSING_H_
#define HILUM_COMMON_MODEL_PREPROCESSING_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// The key under which a file of weights says its preset, by its name.
inline constexpr char kPreprocessingKey[] = "preprocessing";

// As study files have it: "hilum"; of none of them "unspecified".
std::string PreprocessingName(v1::Model::Preprocessing preset);

// INVALID_ARGUMENT lists the names.
absl::StatusOr<v1::Model::Preprocessing> ParsePreprocessing(
    absl::string_view name);

// What WeightsFile::metadata() says; nothing where it says nothing.
// INVALID_ARGUMENT: a name that is none of ours.
absl::StatusOr<std::optional<v1::Model::Preprocessing>> PreprocessingOf(
    const std::map<std::string, std::string>& metadata);

// Channel c of the input is x * scale[c] + shift[c] of gray values x in
// [0, 1].
struct ChannelScales {
  std::vector<float> scale, shift;  // [channels]
};

// `channels` is 1 or 3.
//
//   hilum            (x - 0.5) / 0.25
//   imagenet         (x - mean) / deviation; means 0.485, 0.456, 0.406 and
//                    deviations 0.229, 0.224, 0.225 of red, green and blue.
//                    Of one channel their means, 0.449 and 0.226: an input of
//                    its own, near what summed channels (fit.h) would get.
//   torchxrayvision  (2 x - 1) * 1024
ChannelScales ScalesOf(v1::Model::Preprocessing preset, int channels);

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_PREPROCESSING_H_
