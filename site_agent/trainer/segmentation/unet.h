// SPDX-License-Identifier: Apache-2.0
// The network that finds the lungs.
#ifndef HILUM_SITE_AGENT_TRAINER_SEGMENTATION_UNET_H_
#define HILUM_SITE_AGENT_TRAINER_SEGMENTATION_UNET_H_

#include <ATen/core/Tensor.h>

#include <vector>

#include "site_agent/trainer/models/layers.h"
#include "site_agent/trainer/models/network.h"

namespace hilum {

// The network of common/model/lungs_unet.h. Not thread-safe.
class UNet {
 public:
  // Takes all tensors of the table.
  explicit UNet(TensorTable& table);

  // Maps [n, 1, side, side], gray from 0 to 1, to logits of the same shape
  // (bilinear from half the side). `training`: uses the batch's statistics.
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
