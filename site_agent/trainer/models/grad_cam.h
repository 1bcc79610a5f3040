// SPDX-License-Identifier: Apache-2.0
// Where a network looked for a class.
#ifndef HILUM_SITE_AGENT_TRAINER_MODELS_GRAD_CAM_H_
#define HILUM_SITE_AGENT_TRAINER_MODELS_GRAD_CAM_H_

#include <ATen/core/Tensor.h>

#include <vector>

#include "site_agent/trainer/models/cam_method.h"
#include "site_agent/trainer/models/network.h"

namespace hilum {

// Maps of less places a side show hardly more than left or right: a map of
// hilum_small has 3 before it is pooled, at 96 pixels.
inline constexpr int kFewestPlaces = 5;

// A forward pass of a network, as when evaluating, that can be asked about
// each class. Its parameters' gradients are not touched, and whether gradients
// are on in the calling thread makes no difference. A case's numbers do not
// depend on who else is in the batch, but for the last bits. The network must
// outlive it, with the same parameters. Not thread-safe.
class GradCam {
 public:
  // `x` [n, channels, size, size], normalised as the network wants it. The map
  // is the last before pooling, or, where that has fewer places a side than
  // `fewest_places`, the last block's output with so many; 1: always the
  // former. Throws as Torch does.
  GradCam(Network& network, const at::Tensor& x,
          int fewest_places = kFewestPlaces);

  const at::Tensor& logits() const { return logits_; }  // [n, classes]
  int64_t places() const { return map_.size(-1); }      // of the map, a side

  // relu(sum_k a_k A^k) (eq. 2) of case i for classes[i], resized to
  // [n, size, size], bilinear between pixel centres, then divided by the
  // case's own maximum: 0 to 1. A map without heat stays 0.
  at::Tensor Maps(const std::vector<int>& classes, CamMethod method) const;

 private:
  int64_t size_;
  at::Tensor map_;     // [n, channels, height, width]
  at::Tensor logits_;  // of map_, with their graph
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_MODELS_GRAD_CAM_H_
