// SPDX-License-Identifier: Apache-2.0
// Where a network looked for a class.
#ifndef HILUM_SITE_AGENT_TRAINER_GRAD_CAM_H_
#define HILUM_SITE_AGENT_TRAINER_GRAD_CAM_H_

#include <ATen/core/Tensor.h>

#include <vector>

#include "site_agent/trainer/models/network.h"

namespace hilum {

// How the channels A^k of the last map before pooling are weighted for the
// logit y^c of a class, g^k_ij being dy^c / dA^k_ij.
enum class CamMethod {
  // a_k = 1/Z sum_ij g^k_ij (Selvaraju et al. 2017, eq. 1), Z pixels.
  kGradCam,
  // w_k = sum_ij alpha^k_ij relu(g^k_ij) with alpha^k_ij = (g^k_ij)^2 /
  // (2 (g^k_ij)^2 + sum_ab A^k_ab (g^k_ij)^3) (Chattopadhay et al. 2018, eq. 5
  // and 19, for the score exp(y^c), whose own factor falls out when a map is
  // scaled). Where g is 0, or the sum not above 0, alpha counts as 0.
  kGradCamPlusPlus,
};

// A forward pass of a network, as when evaluating, that can be asked about
// each class. Its parameters' gradients are not touched, and whether gradients
// are on in the calling thread makes no difference. A case's numbers do not
// depend on who else is in the batch, but for the last bits. The network must
// outlive it, with the same parameters. Not thread-safe.
class GradCam {
 public:
  // `x` [n, channels, size, size], normalised as the network wants it. Throws
  // as Torch does.
  GradCam(Network& network, const at::Tensor& x);

  const at::Tensor& logits() const { return logits_; }  // [n, classes]

  // relu(sum_k a_k A^k) (eq. 2) of case i for classes[i], resized to
  // [n, size, size], bilinear between pixel centres, then divided by the
  // case's own maximum: 0 to 1. A map without heat stays 0.
  at::Tensor Maps(const std::vector<int>& classes, CamMethod method) const;

 private:
  int64_t size_;
  at::Tensor map_;     // [n, channels, height, width]
  at::Tensor logits_;  // of map_, with their graph
};

// What block pool_block() is given, before it is pooled.
at::Tensor MapBeforePool(Network& network, const at::Tensor& x,
                         const Pass& pass);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_GRAD_CAM_H_
