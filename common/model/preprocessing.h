// SPDX-License-Identifier: Apache-2.0
// Presets that turn gray values into a network's input. A preset travels with
// the weights: with another preset they compute nonsense.
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

// The metadata key under which a file of weights has its preset's name.
inline constexpr char kPreprocessingKey[] = "preprocessing";

// Returns the name in study files: "hilum"; "unspecified" for none of the
// presets.
std::string PreprocessingName(v1::Model::Preprocessing preset);

// Parses a name. INVALID_ARGUMENT lists the names.
absl::StatusOr<v1::Model::Preprocessing> ParsePreprocessing(
    absl::string_view name);

// Returns the preset in WeightsFile::metadata(); nothing where there is none.
// INVALID_ARGUMENT: an unknown name.
absl::StatusOr<std::optional<v1::Model::Preprocessing>> PreprocessingOf(
    const std::map<std::string, std::string>& metadata);

// Channel c of the input is x * scale[c] + shift[c] for gray values x in [0,
// 1].
struct ChannelScales {
  std::vector<float> scale, shift;  // [channels]
};

// `channels` is 1 or 3.
//
//   hilum            (x - 0.5) / 0.25
//   imagenet         (x - mean) / deviation; means 0.485, 0.456, 0.406 and
//                    deviations 0.229, 0.224, 0.225 of red, green and blue.
//                    One channel uses their means, 0.449 and 0.226: an input
//                    of its own, near that of summed channels (fit.h).
//   torchxrayvision  (2 x - 1) * 1024
ChannelScales ScalesOf(v1::Model::Preprocessing preset, int channels);

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_PREPROCESSING_H_
