// SPDX-License-Identifier: Apache-2.0
// The network that finds lungs.
#ifndef HILUM_SITE_AGENT_TRAINER_SEGMENTATION_UNET_H_
#define HILUM_SITE_AGENT_TRAINER_SEGMENTATION_UNET_H_

#include <ATen/core/Tensor.h>

#include <vector>

#include "common/model/architecture.h"
#include "site_agent/trainer/models/layers.h"
#include "site_agent/trainer/models/network.h"

namespace hilum {

inline constexpr int kUNetLevels = 4;
// Of level l, at 1 / 2^(l + 1) of the image's side.
inline constexpr int kUNetChannels[kUNetLevels] = {16, 32, 64, 128};
// An image's side is a multiple of it.
inline constexpr int kUNetMultiple = 1 << kUNetLevels;

// A U-Net for one gray channel that starts at half the side, as the borders of
// lungs are smooth; 0.4 million parameters. Each convolution of 3 x 3 is
// without bias and followed by batch normalisation and ReLU:
//   down.L.0   of stride 2, from the level above (level 0: the image)
//   down.L.1
//   up.L.from  1 x 1, of the level below; then twice as large (nearest)
//   up.L.conv  of down.L.1's and that, one behind the other
//   head       1 x 1 with bias, of level 0
// Source: Ronneberger, Fischer, Brox 2015.
// Its tensors: `down.0.0.conv.weight`, `down.0.0.norm.weight`, ...
Architecture UNetArchitecture();

// Not thread-safe.
class UNet {
 public:
  // Takes all of the table.
  explicit UNet(TensorTable& table);

  // [n, 1, side, side], gray from 0 to 1, to logits of the same shape
  // (bilinear from half the side). `training`: by the batch's statistics.
  at::Tensor operator()(const at::Tensor& x, bool training) const;

 private:
  struct Block {
    Conv conv;
    BatchNorm norm;

    Block(TensorTable& table, const std::string& name, int out, int in,
          int stride);
    at::Tensor operator()(const at::Tensor& x, const Pass& pass) const;
  };
  struct Down {
    Block first, second;
  };
  struct Up {
    Conv from;
    Block conv;
  };

  std::vector<Down> downs_;  // [levels]
  std::vector<Up> ups_;      // [levels - 1]
  Conv head_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_SEGMENTATION_UNET_H_
