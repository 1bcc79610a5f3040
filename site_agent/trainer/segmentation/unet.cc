// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/segmentation/unet.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/upsample_nearest2d.h>

#include <string>
#include <utility>

#include "common/model/lungs_unet.h"

namespace hilum {

UNet::Block::Block(TensorTable& table, const std::string& name, int out, int in,
                   int stride)
    : conv(table, name + ".conv", out, in, 3, {.stride = stride, .padding = 1}),
      norm(table, name + ".norm", out) {}

at::Tensor UNet::Block::operator()(const at::Tensor& x,
                                   const Pass& pass) const {
  at::Tensor y = norm(conv(x), pass);
  return at::relu_(y);
}

UNet::UNet(TensorTable& table)
    : head_(table, "head", 1, kUNetChannels[0], 1, {.bias = true}) {
  for (int level = 0; level < kUNetLevels; ++level) {
    const int channels = kUNetChannels[level];
    downs_.push_back(
        {Block(table, UNetDownName(level, 0), channels,
               UNetChannelsAbove(level), 2),
         Block(table, UNetDownName(level, 1), channels, channels, 1)});
  }
  for (int level = 0; level + 1 < kUNetLevels; ++level) {
    const int channels = kUNetChannels[level];
    ups_.push_back(
        {Conv(table, UNetUpName(level) + ".from", channels,
              kUNetChannels[level + 1], 1, {}),
         Block(table, UNetUpName(level) + ".conv", channels, 2 * channels, 1)});
  }
}

at::Tensor UNet::operator()(const at::Tensor& x, bool training) const {
  const Pass pass = {.update_statistics = training};
  std::vector<at::Tensor> skips;
  at::Tensor y = (x - 0.5) * 4;
  for (const Down& down : downs_) {
    y = down.second(down.first(y, pass), pass);
    skips.push_back(y);
  }
  for (int level = kUNetLevels - 2; level >= 0; --level) {
    const at::Tensor& skip = skips[level];
    const at::Tensor larger = at::upsample_nearest2d(
        ups_[level].from(y), {skip.size(2), skip.size(3)});
    y = ups_[level].conv(at::cat({skip, larger}, 1), pass);
  }
  return at::upsample_bilinear2d(head_(y), {x.size(2), x.size(3)},
                                 /*align_corners=*/false);
}

}  // namespace hilum
