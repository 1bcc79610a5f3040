// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_MODELS_CAM_METHOD_H_
#define HILUM_SITE_AGENT_TRAINER_MODELS_CAM_METHOD_H_

namespace hilum {

// The weight of each channel A^k of the last map before pooling, for the logit
// y^c of a class, with g^k_ij = dy^c / dA^k_ij.
enum class CamMethod {
  // a_k = 1/Z sum_ij g^k_ij (Selvaraju et al. 2017, eq. 1), Z pixels.
  kGradCam,
  // w_k = sum_ij alpha^k_ij relu(g^k_ij) with alpha^k_ij = (g^k_ij)^2 / (2
  // (g^k_ij)^2 + sum_ab A^k_ab (g^k_ij)^3) (Chattopadhay et al. 2018, eq. 5 and
  // 19, for the score exp(y^c); the factor exp(y^c) cancels when a map is
  // scaled). Alpha is 0 where g is 0 or the sum is not above 0.
  kGradCamPlusPlus,
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_MODELS_CAM_METHOD_H_
