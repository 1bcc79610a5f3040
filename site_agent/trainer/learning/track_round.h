// SPDX-License-Identifier: Apache-2.0
// One round's training of one track, whatever the task learns.
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
  absl::Span<const size_t> cases;  // of the pool
  // Epochs that the track has trained before this one, in all rounds.
  uint64_t epochs_before;
  double rate_factor;  // of the study's learning rate
};

// What a task does with the network of a track, which holds the round's model.
struct TrackWork {
  // Makes a step. Returns the sum of the losses of its cases. OUT_OF_RANGE: the
  // loss is not finite.
  absl::FunctionRef<absl::StatusOr<double>(const TrackStep&)> step;
  // Returns the sum of the losses of these cases; may be not finite.
  absl::FunctionRef<absl::StatusOr<double>(absl::Span<const size_t>)> validate;
  // Returns the parameters that travel, after the last step. OUT_OF_RANGE: one
  // is not finite.
  absl::FunctionRef<absl::StatusOr<std::vector<float>>()> travelling;
};

// Trains the study's track `track` for the local epochs of round `round` (from
// 1), and says in `trained` what came of it: delta against `before`
// ([travelling_size]), examples and losses; `local` stays empty. Tries the
// round's model first where the study validates. Each epoch takes the cases in
// a new secret order, in batches of BatchSizeOf. With too few cases for the
// site's minimum_steps the track is left out; with a loss that is not finite it
// is withheld. Errors of the work name track and epoch.
absl::Status TrainOneTrack(const PreparedStudy& study, size_t track,
                           uint32_t round, absl::Span<const float> before,
                           const TrackWork& work, TrainedTrack& trained);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_LEARNING_TRACK_ROUND_H_
