// SPDX-License-Identifier: Apache-2.0
// A small residual network for radiographs on CPUs: 1.2 M parameters, about
// 28 million multiply-adds at 96 x 96. Group normalisation keeps no running
// statistics, so averaging parameters loses nothing.
// Source: He et al. 2016 (residual blocks), Wu, He 2018 (group norm).
//
// Input [n, 1, size, size], or with 3 channels on request; size >= 32. Forward
// pass, every convolution without bias, every norm GroupNorm with 8 groups, eps
// 1e-5 and an affine weight and bias per channel:
//
//   x = relu(stem.norm(stem.conv(input)))      # 3x3, stride 2, padding 1
//   for each block B of stage1 .. stage4:      # names stageS.I
//     y = relu(B.norm1(B.conv1(x)))            # 3x3, stride s, padding 1
//     y = B.norm2(B.conv2(y))                  # 3x3, stride 1, padding 1
//     x = relu(y + shortcut(x))
//   x = mean of x over height and width        # [n, 160]
//   logits = head(x)                           # [n, num_classes], with bias
//
// s is 2 in a stage's first block (I = 0), which also has B.shortcut: 1x1,
// stride 2, no padding, no norm. In other blocks s is 1 and shortcut(x) = x.
// Channels: stem 16, stages 24, 48, 96, 160. Blocks a stage: 1, 1, 2, 2.
//
// norm2.weight starts at zero: a block starts as its shortcut.
//
// Blocks (TensorSpec::block): 0 stem, 1 .. 4 the stages, 5 the head.
#ifndef HILUM_COMMON_MODEL_HILUM_SMALL_H_
#define HILUM_COMMON_MODEL_HILUM_SMALL_H_

#include "common/model/architecture.h"

namespace hilum {

inline constexpr int kHilumSmallGroups = 8;
inline constexpr int kHilumSmallStages = 4;
inline constexpr int kHilumSmallStemChannels = 16;
inline constexpr int kHilumSmallChannels[kHilumSmallStages] = {24, 48, 96, 160};
inline constexpr int kHilumSmallDepths[kHilumSmallStages] = {1, 1, 2, 2};

Architecture HilumSmall(const ModelShape& shape);

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_HILUM_SMALL_H_
