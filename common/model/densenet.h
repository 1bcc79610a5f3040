// SPDX-License-Identifier: Apache-2.0
// DenseNet-121, by torchvision's key names.
// Source: Huang et al. 2017 (growth 32, bottlenecks, compression 0.5).
//
// Input [n, channels, size, size], size >= 32. Forward pass, every
// convolution without bias, norm batch normalisation with eps 1e-5; names
// begin with `features.`, those of a layer with denseblockB.denselayerL:
//
//   x = relu(norm0(conv0(input)))       # 7x7, stride 2, padding 3, 64 channels
//   x = max_pool(x)                     # 3x3, stride 2, padding 1
//   for B in 1 .. 4:
//     for each of its 6, 12, 24, 16 layers L:
//       y = conv1(relu(norm1(x)))       # 1x1, 128 channels
//       y = conv2(relu(norm2(y)))       # 3x3, padding 1, 32 channels
//       x = x and y, channels one after the other
//     if B < 4:
//       x = transitionB.conv(relu(transitionB.norm(x)))  # 1x1, half as many
//       x = average_pool(x)                              # 2x2, stride 2
//   x = relu(norm5(x))
//   x = mean of x over height and width                  # [n, 1024]
//   logits = classifier(x)                               # [n, classes]
//
// Blocks: 0 the stem up to max_pool, 1 .. 4 the dense blocks, each with the
// transition or norm5 behind it, 5 the head.
#ifndef HILUM_COMMON_MODEL_DENSENET_H_
#define HILUM_COMMON_MODEL_DENSENET_H_

#include "common/model/architecture.h"

namespace hilum {

inline constexpr int kDenseBlocks = 4;
inline constexpr int kDenseLayers[kDenseBlocks] = {6, 12, 24, 16};
inline constexpr int kDenseStem = 64;         // channels
inline constexpr int kDenseGrowth = 32;       // channels a layer adds
inline constexpr int kDenseBottleneck = 128;  // channels of its conv1
inline constexpr int kDenseFeatures = 1024;   // channels at the end

Architecture DenseNet121(const ModelShape& shape);

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_DENSENET_H_
