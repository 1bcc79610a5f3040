// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/classification/loss.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/pow.h>

namespace hilum {

at::Tensor LossSum(const at::Tensor& logits, const at::Tensor& labels,
                   const at::Tensor& weights, const v1::Training& training) {
  const at::Tensor log_softmax = at::log_softmax(logits, 1);
  const at::Tensor log_p = log_softmax.gather(1, labels);
  at::Tensor loss = -log_p;
  const double smoothing = training.label_smoothing();
  if (smoothing != 0) {
    loss = loss * (1 - smoothing) -
           log_softmax.mean(1, /*keepdim=*/true) * smoothing;
  }
  const double gamma = training.focal_gamma();
  if (gamma != 0) {
    // Stays below p = 1, where the power has no gradient.
    const at::Tensor wrong = (1 - log_p.exp()).clamp_min(1e-7);
    loss = loss * at::pow(wrong, gamma);
  }
  return (loss * weights).sum();
}

}  // namespace hilum
