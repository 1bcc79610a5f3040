// SPDX-License-Identifier: Apache-2.0
// Defaults and rules of the fields that say how a round steps: local_steps,
// aggregation.normalization, aggregation.server_optimizer. docs/training.md
// describes them for users.
#ifndef HILUM_COMMON_CONFIG_STEP_RULES_H_
#define HILUM_COMMON_CONFIG_STEP_RULES_H_

#include <string>

#include "absl/status/status.h"
#include "common/config/cohort_rules.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// Fills omitted fields: local_epochs 1 where local_steps is absent; the server
// optimiser's numbers where it has a kind.
void FillStepDefaults(v1::Study& study);

// A field and the rule it breaks, as FindSegmentationFault returns it.
struct StepFault {
  std::string field, rule;  // empty: none
};
StepFault FindStepFault(const v1::Study& study);

// Returns whether a round of the study has fewer optimiser steps than
// `minimum_steps`. A sum of so few steps is nearly the gradient of a batch.
bool HasFewSteps(const v1::Study& study, uint32_t minimum_steps);

// Checks that a study with local_steps, however many, sums the gradients of
// enough cases and of sites that hide each other: secure aggregation over all
// sites, and a batch of at least limits.minimum_batch. A small site has few
// cases for each step, so in a plain study its update could be of one image.
// Nothing is hidden in a study of one site.
// FAILED_PRECONDITION says what to change.
absl::Status CheckFewSteps(const v1::Study& study, const PolicyLimits& limits);

}  // namespace hilum

#endif  // HILUM_COMMON_CONFIG_STEP_RULES_H_
