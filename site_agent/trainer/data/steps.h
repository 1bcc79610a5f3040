// SPDX-License-Identifier: Apache-2.0
// The number of optimiser steps of a track in a round. An update of few steps
// is nearly a sum of gradients, from which images can be rebuilt; many steps
// hide the cases better.
#ifndef HILUM_SITE_AGENT_TRAINER_DATA_STEPS_H_
#define HILUM_SITE_AGENT_TRAINER_DATA_STEPS_H_

#include <cstddef>
#include <cstdint>

#include "hilum/v1/study.pb.h"

namespace hilum {

// Returns the steps of a local epoch over `cases` cases: one for each batch. A
// study of segmentation skips a last batch smaller than half of the others,
// unless it is the only one. batch_size >= 1.
size_t StepsOfEpoch(const v1::Study& study, size_t cases, size_t batch_size);

// Returns the cases of a step: the study's batch_size, or fewer if a round's
// local epochs would otherwise have less than `minimum_steps` steps. Returns 0
// if even one case a step gives too few steps: the track is then not trained.
// Returns the study's batch_size if minimum_steps is 0. In a study with
// local_steps, whose rounds the gateway judges (common/config/step_rules.h), 0
// only without cases.
size_t BatchSizeFor(const v1::Study& study, size_t cases,
                    uint32_t minimum_steps);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_DATA_STEPS_H_
