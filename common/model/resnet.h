// SPDX-License-Identifier: Apache-2.0
// ResNet-18 and ResNet-50, by torchvision's key names.
// Source: He et al. 2016; of 50 the variant that strides in the 3x3
// convolution, as torchvision has it.
//
// Input [n, channels, size, size], size >= 32. Forward pass, every
// convolution without bias and with a padding that keeps the size (k / 2), bn
// batch normalisation with eps 1e-5:
//
//   x = relu(bn1(conv1(input)))         # 7x7, stride 2
//   x = max_pool(x)                     # 3x3, stride 2, padding 1
//   for each block B of layer1 .. layer4:          # names layerL.I
//     resnet18: y = relu(B.bn1(B.conv1(x)))        # 3x3, stride s, width w
//               y = B.bn2(B.conv2(y))              # 3x3, w
//     resnet50: y = relu(B.bn1(B.conv1(x)))        # 1x1, w
//               y = relu(B.bn2(B.conv2(y)))        # 3x3, stride s, w
//               y = B.bn3(B.conv3(y))              # 1x1, 4 w
//     x = relu(y + shortcut(x))
//   x = mean of x over height and width            # [n, 512 or 2048]
//   logits = fc(x)                                 # [n, classes], with bias
//
// w is 64, 128, 256, 512 in layers 1 to 4. s is 2 in the first block of layers
// 2, 3, 4, else 1. Where it changes size or channels, shortcut is
// B.downsample.1(B.downsample.0(x)), 1x1 with stride s and bn; else it is x.
//
// Blocks: 0 the stem up to max_pool, 1 .. 4 the layers, 5 the head.
#ifndef HILUM_COMMON_MODEL_RESNET_H_
#define HILUM_COMMON_MODEL_RESNET_H_

#include <string>

#include "common/model/architecture.h"

namespace hilum {

inline constexpr int kResNetLayers = 4;
inline constexpr int kResNetStem = 64;  // channels
inline constexpr int kResNetWidths[kResNetLayers] = {64, 128, 256, 512};

struct ResNetPlan {
  int depths[kResNetLayers];  // blocks a layer
  int expansion;              // output channels a width
  bool bottleneck() const { return expansion > 1; }
};

inline constexpr ResNetPlan kResNet18 = {{2, 2, 2, 2}, 1};
inline constexpr ResNetPlan kResNet50 = {{3, 4, 6, 3}, 4};

// Returns the plan of `name`, resnet18 or resnet50.
const ResNetPlan& ResNetPlanOf(const std::string& name);

Architecture ResNet(const ModelShape& shape);

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_RESNET_H_
