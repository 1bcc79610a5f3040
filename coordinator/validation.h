// SPDX-License-Identifier: Apache-2.0
// Reads each track's choice of a model (common/config/track_choice.h) from a
// study's committed rounds, where it validates.
#ifndef HILUM_COORDINATOR_VALIDATION_H_
#define HILUM_COORDINATOR_VALIDATION_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "common/config/track_choice.h"
#include "coordinator/study_result.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// Returns the choices after these rounds. Studies of before protocol 7 had one
// choice for all tracks, by the loss over all of them.
TrackChoices ChoicesAfter(const v1::Study& study,
                          absl::Span<const RoundSummary> rounds);

// Returns [tracks]: the round after which each track's evaluated model came; 0:
// it is the starting one.
std::vector<uint32_t> EvaluatedRounds(const v1::Study& study,
                                      absl::Span<const RoundSummary> rounds);

// Returns [tracks]: the last round that trained each track.
std::vector<uint32_t> LastRounds(const v1::Study& study,
                                 absl::Span<const RoundSummary> rounds);

// Returns whether no training round comes after these: all planned rounds are
// committed, or each track with training cases has stopped. `track_examples`:
// the cohort's training cases [tracks], 0 for a track that nobody trains.
bool TrainingIsOver(const v1::Study& study,
                    absl::Span<const RoundSummary> rounds,
                    absl::Span<const uint64_t> track_examples);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_VALIDATION_H_
