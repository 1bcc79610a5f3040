// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/models/grad_cam.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include "common/base/check.h"

namespace hilum {
namespace {

// Returns [n, channels, 1, 1].
at::Tensor ChannelWeights(const at::Tensor& map, const at::Tensor& gradient,
                          CamMethod method) {
  if (method == CamMethod::kGradCam) {
    return gradient.mean({2, 3}, /*keepdim=*/true);
  }
  const at::Tensor square = gradient * gradient;
  const at::Tensor below =
      2 * square + map.sum({2, 3}, /*keepdim=*/true) * square * gradient;
  const at::Tensor alpha =
      at::where(below > 0, square / below, at::zeros_like(below));
  return (alpha * at::relu(gradient)).sum({2, 3}, /*keepdim=*/true);
}

}  // namespace

GradCam::GradCam(Network& network, const at::Tensor& x, int fewest_places)
    : size_(x.size(-1)) {
  const int pool = network.pool_block();
  int next = 0;  // the block that takes map_
  {
    // The graph starts at the map: no gradient goes below it.
    at::NoGradGuard no_grad;
    at::Tensor y = x;
    for (int block = 0; block < pool; ++block) {
      y = network.Block(block, y, {});
      if (block > 0 && y.size(-1) < fewest_places) break;
      map_ = y.detach();
      next = block + 1;
    }
  }
  at::AutoGradMode with_grad(true);
  map_.requires_grad_();
  logits_ = Run(network, next, network.num_blocks() + 1,
                next == pool ? network.Pool(map_) : map_, {});
}

at::Tensor GradCam::Maps(const std::vector<int>& classes,
                         CamMethod method) const {
  const int64_t n = map_.size(0);
  HILUM_CHECK(static_cast<int64_t>(classes.size()) == n);
  // Sets ones at each case's class. A case's logits depend on its own map
  // alone, so that one backward pass gives every case's gradient.
  at::Tensor chosen = at::zeros_like(logits_.detach());
  for (int64_t i = 0; i < n; ++i) {
    chosen[i][classes[static_cast<size_t>(i)]] = 1;
  }
  map_.mutable_grad().reset();
  logits_.backward(chosen, /*retain_graph=*/true, /*create_graph=*/false,
                   at::TensorList(map_));
  at::NoGradGuard no_grad;
  const at::Tensor weights = ChannelWeights(map_, map_.grad(), method);
  const at::Tensor cam =
      at::relu((weights * map_).sum(1, /*keepdim=*/true));  // [n, 1, h, w]
  const at::Tensor fitted =
      at::upsample_bilinear2d(cam, {size_, size_}, /*align_corners=*/false)
          .squeeze(1);
  const at::Tensor most = fitted.amax({1, 2}, /*keepdim=*/true);
  return at::where(most > 0, fitted / most, at::zeros_like(fitted));
}

}  // namespace hilum
