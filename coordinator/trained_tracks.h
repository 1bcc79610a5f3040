// SPDX-License-Identifier: Apache-2.0
// Which models of a study training has made, and which are the starting
// weights still.
//
// A track is trained where, in a round up to the one whose models are
// evaluated, some site's update of it counted with at least one case. It is not
// where no site has cases for it, where every site withheld its update, where
// the round's masked sum was lost, and where validation chose the starting
// weights. Rounds that were stored before examples were (RoundSummary) are
// taken to have trained every track.
#ifndef HILUM_COORDINATOR_TRAINED_TRACKS_H_
#define HILUM_COORDINATOR_TRAINED_TRACKS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "coordinator/study_result.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// Returns [tracks of `study`]: whether the models after round `model_round` are
// trained. Without any round all are taken for trained: nothing is known.
std::vector<bool> TrainedTracks(const v1::Study& study,
                                absl::Span<const RoundSummary> rounds,
                                uint32_t model_round);
// Of the models that `result` evaluates.
std::vector<bool> TrainedTracks(const StudyResult& result);

// Returns a sentence for people that names the tracks which are not trained,
// says why, and what to do. Empty: all are trained.
std::string UntrainedSentence(const v1::Study& study,
                              absl::Span<const RoundSummary> rounds,
                              uint32_t model_round);
std::string UntrainedSentence(const StudyResult& result);

// Returns what whoever reads the result must know first, a sentence each: that
// the study was stopped, and UntrainedSentence. None: nothing.
std::vector<std::string> ResultWarnings(const StudyResult& result);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_TRAINED_TRACKS_H_
