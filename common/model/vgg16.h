// SPDX-License-Identifier: Apache-2.0
// VGG-16 without batch normalisation, by torchvision's key names.
// Source: Simonyan, Zisserman 2015, configuration D.
//
// Input [n, 3, size, size], size >= 32. Forward pass:
//
//   x = input
//   for stage in 0 .. 4:      # 2, 2, 3, 3, 3 convolutions
//     for each of its convolutions:
//       x = relu(conv(x))     # features.N, 3x3, stride 1, padding 1, bias
//     x = max_pool(x)         # 2x2, stride 2
//   x = adaptive_average_pool(x, 7, 7)
//   x = flatten(x)                           # [n, 25088]
//   x = dropout(relu(classifier.0(x)), 0.5)  # dropout while training only
//   x = dropout(relu(classifier.3(x)), 0.5)
//   logits = classifier.6(x)                 # [n, num_classes]
//
// Blocks: 0 .. 4 the stages, 5 classifier.0 and classifier.3, 6 (the head)
// classifier.6.
#ifndef HILUM_COMMON_MODEL_VGG16_H_
#define HILUM_COMMON_MODEL_VGG16_H_

#include "common/model/architecture.h"

namespace hilum {

Architecture Vgg16(int num_classes);

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_VGG16_H_
