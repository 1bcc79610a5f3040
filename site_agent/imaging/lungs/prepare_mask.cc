// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/lungs/prepare_mask.h"

#include <cstdint>

#include "common/base/status_macros.h"
#include "site_agent/imaging/prepare.h"

namespace hilum {
namespace {

// Returns part of the mask at the image's size, 1 in the lungs and 0 outside,
// by nearest neighbour, as in the preparation of images.
GrayImage Fitted(const GrayImage& mask, const GrayImage& image,
                 const ImageBox& box) {
  GrayImage fitted{box.bottom - box.top, box.right - box.left, {}};
  fitted.pixels.reserve(static_cast<size_t>(fitted.rows) * fitted.columns);
  auto nearest = [](int i, int mask_size, int image_size) {
    return static_cast<int>((int64_t{2} * i + 1) * mask_size /
                            (int64_t{2} * image_size));
  };
  for (int row = box.top; row < box.bottom; ++row) {
    const int r = nearest(row, mask.rows, image.rows);
    for (int column = box.left; column < box.right; ++column) {
      const int c = nearest(column, mask.columns, image.columns);
      fitted.pixels.push_back(mask.at(r, c) > 0.5f ? 1.0f : 0.0f);
    }
  }
  return fitted;
}

}  // namespace

absl::StatusOr<std::vector<float>> PrepareWholeMask(const GrayImage& image,
                                                    const GrayImage& mask,
                                                    int size) {
  HILUM_RETURN_IF_ERROR(SegmentedBox(image, mask).status());
  return ResizeImage(Fitted(mask, image, {0, 0, image.rows, image.columns}),
                     size, size)
      .pixels;
}

absl::StatusOr<std::vector<float>> PrepareSegmentedMask(const GrayImage& image,
                                                        const GrayImage& mask,
                                                        int size) {
  HILUM_ASSIGN_OR_RETURN(ImageBox box, SegmentedBox(image, mask));
  return ResizeImage(Fitted(mask, image, box), size, size).pixels;
}

}  // namespace hilum
