// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_LEARNING_SCHEDULE_H_
#define HILUM_SITE_AGENT_TRAINER_LEARNING_SCHEDULE_H_

#include <cstddef>
#include <cstdint>

#include "hilum/v1/study.pb.h"

namespace hilum {

// Returns the factor of the learning rate after `t` rounds of training, 0 <= t
// <= rounds; fractions count a round's steps. For R rounds, W of warm-up and
// final_fraction f:
//   warm-up   t / W                                            for t < W
//   cosine    f + (1 - f) (1 + cos(pi (t - W) / (R - W))) / 2  after it
//   step      step_factor ^ floor((t - W) / step_rounds)       after it
// A step in the warm-up uses the rate at its end, so that no step has rate 0:
// pass t + one step. Source: Loshchilov, Hutter 2017 (cosine).
double RateFactor(const v1::Training& training, double t);

// A step's position in a study: step `step` < `steps` of local epoch `epoch`,
// from 0, of round `round`, from 1. With local_steps all steps of a round are
// in epoch 0.
struct StepPlace {
  uint32_t round, epoch;
  size_t step, steps;
};

// Returns RateFactor for a step.
double StepRateFactor(const v1::Training& training, const StepPlace& place);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_LEARNING_SCHEDULE_H_
