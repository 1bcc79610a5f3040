// SPDX-License-Identifier: Apache-2.0
// How many optimiser steps a track makes in a round. An update of few steps is
// nearly a sum of gradients, from which images can be rebuilt; what many steps
// add up to hides its cases better.
#ifndef HILUM_SITE_AGENT_TRAINER_DATA_STEPS_H_
#define HILUM_SITE_AGENT_TRAINER_DATA_STEPS_H_

#include <cstddef>
#include <cstdint>

#include "hilum/v1/study.pb.h"

namespace hilum {

// Returns the steps of a local epoch over so many cases: one for each batch; in
// a study of segmentation none for a last batch that is smaller than half of
// the others, unless it is the only one. batch_size >= 1.
size_t StepsOfEpoch(const v1::Study& study, size_t cases, size_t batch_size);

// Returns the cases of a step: the study's batch_size, or as few as give a
// round's local epochs `minimum_steps` steps. 0: the epochs over so many cases
// are fewer than that even with one case a step, and the track is not to be
// trained. With minimum_steps 0 the study's.
size_t BatchSizeFor(const v1::Study& study, size_t cases,
                    uint32_t minimum_steps);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_DATA_STEPS_H_
