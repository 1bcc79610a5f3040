// SPDX-License-Identifier: Apache-2.0
// Grad-CAM: the image regions that a class's score rests on.
#ifndef HILUM_SITE_AGENT_TRAINER_MODELS_GRAD_CAM_H_
#define HILUM_SITE_AGENT_TRAINER_MODELS_GRAD_CAM_H_

#include <ATen/core/Tensor.h>

#include <vector>

#include "site_agent/trainer/models/cam_method.h"
#include "site_agent/trainer/models/network.h"

namespace hilum {

// A smaller map shows little more than left or right. At 96 pixels,
// hilum_small's last map before pooling has 3 places a side.
inline constexpr int kFewestPlaces = 5;

// A forward pass of a network in evaluation mode, from which the heat of each
// class can be computed. Does not change the parameters' gradients, and works
// with gradients on or off in the calling thread. The other cases of a batch
// change only the last bits of a case's numbers. The network must outlive it,
// with the same parameters. Not thread-safe.
class GradCam {
 public:
  // `x` [n, channels, size, size], normalised for the network. Uses the last
  // map before pooling or, if that has fewer places a side than
  // `fewest_places`, the output of the last block that has enough; 1: always
  // the former. Throws Torch's exceptions.
  GradCam(Network& network, const at::Tensor& x,
          int fewest_places = kFewestPlaces);

  const at::Tensor& logits() const { return logits_; }  // [n, classes]
  int64_t places() const { return map_.size(-1); }      // of a side of the map

  // Returns relu(sum_k a_k A^k) (eq. 2) of case i for classes[i], resized to
  // [n, size, size], bilinear between pixel centres, then divided by the case's
  // own maximum: 0 to 1. A map without heat stays 0.
  at::Tensor Maps(const std::vector<int>& classes, CamMethod method) const;

 private:
  int64_t size_;
  at::Tensor map_;     // [n, channels, height, width]
  at::Tensor logits_;  // of map_, with their graph
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_MODELS_GRAD_CAM_H_
