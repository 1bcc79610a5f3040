// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_CLASSIFICATION_LOSS_H_
#define HILUM_SITE_AGENT_TRAINER_CLASSIFICATION_LOSS_H_

#include <ATen/core/Tensor.h>

#include "hilum/v1/study.pb.h"

namespace hilum {

// Returns the sum over the batch of w_i (1 - p_i)^g ((1 - e) ce_i + e mean_c
// -log q_ic), with q the softmax of `logits` [n, classes], p_i = q of the
// case's class `labels` [n, 1] (int64), ce_i = -log p_i, g the study's
// focal_gamma, e its label_smoothing, w `weights` [n, 1]. Source: Lin et al.
// 2017 (focal loss), Szegedy et al. 2016 (smoothing).
at::Tensor LossSum(const at::Tensor& logits, const at::Tensor& labels,
                   const at::Tensor& weights, const v1::Training& training);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_CLASSIFICATION_LOSS_H_
