// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/segmentation/command/segment_image.h"

#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/model/lungs_unet.h"
#include "common/model/weights_file.h"
#include "site_agent/imaging/prepare.h"

namespace hilum {

absl::StatusOr<BinaryMask> SegmentImage(Segmenter& segmenter,
                                        const GrayImage& image,
                                        const LungMaskOptions& options) {
  const int size = segmenter.size();
  HILUM_ASSIGN_OR_RETURN(Plane plane, PrepareWhole(image, size));
  std::vector<float> pixels;
  for (uint16_t v : plane) pixels.push_back(v * (1.0f / 65535.0f));
  GrayImage lungs{size, size, {}};
  HILUM_ASSIGN_OR_RETURN(lungs.pixels, segmenter.Predict(pixels));
  return CleanLungMask(
      ToBinaryMask(ResizeImage(lungs, image.rows, image.columns)), options);
}

absl::StatusOr<std::unique_ptr<Segmenter>> LoadSegmenter(
    const std::string& path) {
  HILUM_ASSIGN_OR_RETURN(WeightsFile file, WeightsFile::Open(path));
  HILUM_ASSIGN_OR_RETURN(std::vector<float> weights,
                         ReadWeights(file, SegmenterArchitecture(), {}));
  const auto said = file.metadata().find(std::string(kSegmenterSizeKey));
  int size = 0;
  if (said == file.metadata().end() || !absl::SimpleAtoi(said->second, &size)) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": does not say the images' size (", kSegmenterSizeKey,
        "); give a file that `segment train` wrote"));
  }
  return Segmenter::Create(size, weights);
}

absl::StatusOr<std::string> FindShippedWeights(const std::string& binaries) {
  constexpr char kName[] = "lungs_unet.safetensors";
  const std::string places[] = {
      absl::StrCat(binaries, "/../share/hilum/", kName),
      absl::StrCat(binaries, "/../../site_agent/trainer/weights/", kName)};
  for (const std::string& place : places) {
    if (FileExists(place)) return place;
  }
  return absl::NotFoundError(
      absl::StrCat("no weights at ", places[0], " or ", places[1],
                   "; give --weights FILE, or make one: segment train"));
}

}  // namespace hilum
