// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_LEARNING_MIXED_PRECISION_H_
#define HILUM_SITE_AGENT_TRAINER_LEARNING_MIXED_PRECISION_H_

#include "site_agent/trainer/learning/device.h"

namespace hilum {

// Lets this thread compute forward passes in bfloat16 where the precision
// suffices (Torch's autocast), until End or destruction; does nothing if off.
class MixedPrecision {
 public:
  MixedPrecision(bool on, const ComputeDevice& device);
  ~MixedPrecision() { End(); }
  MixedPrecision(const MixedPrecision&) = delete;
  MixedPrecision& operator=(const MixedPrecision&) = delete;

  void End();

 private:
  bool on_;
  const bool cuda_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_LEARNING_MIXED_PRECISION_H_
