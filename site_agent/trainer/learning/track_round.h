// SPDX-License-Identifier: Apache-2.0
// Trains one track for one round, for any task.
#ifndef HILUM_SITE_AGENT_TRAINER_LEARNING_TRACK_ROUND_H_
#define HILUM_SITE_AGENT_TRAINER_LEARNING_TRACK_ROUND_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "site_agent/trainer/data/prepared_study.h"
#include "site_agent/trainer/learning/track_output.h"

namespace hilum {

// One optimiser step.
struct TrackStep {
  absl::Span<const size_t> cases;  // into the pool
  // Epochs that the track was trained before this one, in all rounds.
  uint64_t epochs_before;
  double rate_factor;  // factor of the study's learning rate
};

// A task's operations on a track's network, which holds the round's model.
struct TrackWork {
  // Makes a step. Returns the sum of the losses of its cases. OUT_OF_RANGE: the
  // loss is not finite.
  absl::FunctionRef<absl::StatusOr<double>(const TrackStep&)> step;
  // Returns the sum of the losses of these cases, which may be infinite or NaN.
  absl::FunctionRef<absl::StatusOr<double>(absl::Span<const size_t>)> validate;
  // Returns the travelling parameters after the last step. OUT_OF_RANGE: one is
  // not finite.
  absl::FunctionRef<absl::StatusOr<std::vector<float>>()> travelling;
};

// A track in a round.
struct TrackRound {
  size_t track;
  uint32_t round;  // from 1
  // The cohort's cases of the track, with local_steps; 0: too few sites have
  // cases, and the track is left out.
  uint64_t total_examples = 0;
};

// Trains a track for the local epochs or the local steps of a round, and stores
// the result in `trained`: delta against `before` ([travelling_size]), examples
// and losses; `local` stays empty. Evaluates the round's model first if the
// study has validation. Each epoch takes the cases in a new secret order: with
// local_epochs in batches of BatchSizeOf, with local_steps in the parts of
// common/config/step_plan.h, going on from round to round where the last one
// stopped. Leaves the track out if it has too few cases for the site's
// minimum_steps, or with local_steps none; withholds it if a loss is not
// finite. Errors of the work name the track, and the epoch or step.
absl::Status TrainOneTrack(const PreparedStudy& study, const TrackRound& at,
                           absl::Span<const float> before,
                           const TrackWork& work, TrainedTrack& trained);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_LEARNING_TRACK_ROUND_H_
