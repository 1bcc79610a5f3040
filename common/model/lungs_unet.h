// SPDX-License-Identifier: Apache-2.0
// A U-Net that finds the lungs on a gray image: 0.4 million parameters. It
// starts at half the side, since the borders of lungs are smooth.
// Source: Ronneberger, Fischer, Brox 2015.
//
// Input [n, 1, side, side], gray from 0 to 1; side a multiple of 16. Each
// convolution of 3 x 3 is without bias and followed by batch normalisation and
// ReLU:
//   down.L.0   of stride 2, from the level above (level 0: the image)
//   down.L.1
//   up.L.from  1 x 1, of the level below; then twice as large (nearest)
//   up.L.conv  of the channels of down.L.1, then those of up.L.from
//   head       1 x 1 with bias, of level 0; then twice as large (bilinear)
// Its tensors: `down.0.0.conv.weight`, `down.0.0.norm.weight`, ...
// All are in block 0: no head depends on the study's classes.
#ifndef HILUM_COMMON_MODEL_LUNGS_UNET_H_
#define HILUM_COMMON_MODEL_LUNGS_UNET_H_

#include <string>

#include "absl/strings/string_view.h"
#include "common/model/architecture.h"

namespace hilum {

inline constexpr int kUNetLevels = 4;
// Channels of level l, at 1 / 2^(l + 1) of the image's side.
inline constexpr int kUNetChannels[kUNetLevels] = {16, 32, 64, 128};
// An image's side is a multiple of it.
inline constexpr int kUNetMultiple = 1 << kUNetLevels;

// Metadata key in a file of its weights: the side it was trained at.
inline constexpr absl::string_view kSegmenterSizeKey = "hilum.segmenter.size";

// Returns the input channels of level `level`, and the names of its blocks.
int UNetChannelsAbove(int level);
std::string UNetDownName(int level, int which);
std::string UNetUpName(int level);

// `shape`: its classes are ignored.
Architecture LungsUNet(const ModelShape& shape);

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_LUNGS_UNET_H_
