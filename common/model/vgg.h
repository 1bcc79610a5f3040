// SPDX-License-Identifier: Apache-2.0
// VGG-16 without and with batch normalisation (vgg16, vgg16_bn), by
// torchvision's key names.
// Source: Simonyan, Zisserman 2015, configuration D; Ioffe, Szegedy 2015.
//
// Input [n, channels, size, size], size >= 32. Forward pass:
//
//   x = input
//   for stage in 0 .. 4:      # 2, 2, 3, 3, 3 convolutions
//     for each of its convolutions:
//       x = relu(norm(conv(x)))  # features.N, 3x3, stride 1, padding 1, bias;
//                                # norm, features.N+1, in vgg16_bn only
//     x = max_pool(x)         # 2x2, stride 2
//   x = adaptive_average_pool(x, 7, 7)
//   x = flatten(x)                           # [n, 25088]
//   x = dropout(relu(classifier.0(x)), 0.5)  # dropout while training only
//   x = dropout(relu(classifier.3(x)), 0.5)
//   logits = classifier.6(x)                 # [n, classes]
//
// Blocks: 0 .. 4 the stages, 5 classifier.0 and classifier.3, 6 (the head)
// classifier.6. With head_units the head is block 5, of maps of 512 channels.
#ifndef HILUM_COMMON_MODEL_VGG_H_
#define HILUM_COMMON_MODEL_VGG_H_

#include "common/model/architecture.h"

namespace hilum {

inline constexpr int kVggStages = 5;
inline constexpr int kVggDepths[kVggStages] = {2, 2, 3, 3, 3};
inline constexpr int kVggChannels[kVggStages] = {64, 128, 256, 512, 512};
inline constexpr int kVggPooled = 7;  // pixels, square
inline constexpr int kVggHidden = 4096;

// Returns the architecture for shape.name vgg16 or vgg16_bn.
Architecture Vgg(const ModelShape& shape);

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_VGG_H_
