// SPDX-License-Identifier: Apache-2.0
// Finds out which models of a study were trained, and which are still the
// starting weights.
//
// A track is trained where, in a round up to the one with its evaluated model,
// some site's update of it counted with at least one case. It is not trained
// where no site has cases for it, where every site withheld its update, where
// the round's masked sum was lost, or where validation chose the starting
// weights. Old rounds without `examples` (RoundSummary) count as training every
// track.
#ifndef HILUM_COORDINATOR_TRAINED_TRACKS_H_
#define HILUM_COORDINATOR_TRAINED_TRACKS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "coordinator/study_result.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// Returns [tracks of `study`]: whether each track's model after round
// model_rounds[track] is trained. Without any round all count as trained, since
// nothing is known.
std::vector<bool> TrainedTracks(const v1::Study& study,
                                absl::Span<const RoundSummary> rounds,
                                absl::Span<const uint32_t> model_rounds);
// Returns the same for the models that `result` evaluates.
std::vector<bool> TrainedTracks(const StudyResult& result);

// Returns a sentence for people that names the untrained tracks, says why, and
// what to do. Empty: all are trained.
std::string UntrainedSentence(const v1::Study& study,
                              absl::Span<const RoundSummary> rounds,
                              absl::Span<const uint32_t> model_rounds);
std::string UntrainedSentence(const StudyResult& result);

// Returns the warnings that a reader of the result must see first, a sentence
// each: that the study was stopped, UntrainedSentence, and SeenWarnings
// (seen_by_weights.h). Empty: there are none.
std::vector<std::string> ResultWarnings(const StudyResult& result);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_TRAINED_TRACKS_H_
