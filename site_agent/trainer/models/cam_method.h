// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_MODELS_CAM_METHOD_H_
#define HILUM_SITE_AGENT_TRAINER_MODELS_CAM_METHOD_H_

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

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_MODELS_CAM_METHOD_H_
