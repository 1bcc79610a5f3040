// SPDX-License-Identifier: Apache-2.0
// Lists in files of weights: the images that the weights learned from.
#ifndef HILUM_COMMON_MODEL_TRAINED_ON_H_
#define HILUM_COMMON_MODEL_TRAINED_ON_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "common/config/starting_weights.h"

namespace hilum {

// The metadata key of safetensors files. Its value is a JSON array of the sets
// of images, each {"name", "licence", "images", "digest", "digests"}: "digest"
// is kDigestName, and "digests" TrainedOn.digests in base64; both are missing
// in a set that is not listed.
inline constexpr char kTrainedOnKey[] = "trained_on";
inline constexpr char kDigestName[] = "sha256-gray16/8";

// Returns the sets in WeightsFile::metadata(); none where it has no such key.
// INVALID_ARGUMENT names the key and the place: no such JSON, digests of
// another kind, or sets that fail CheckTrainedOn.
absl::StatusOr<TrainedOnList> TrainedOnOf(
    const std::map<std::string, std::string>& metadata);

// Returns the value for kTrainedOnKey.
std::string TrainedOnText(const TrainedOnList& data);

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_TRAINED_ON_H_
