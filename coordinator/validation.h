// SPDX-License-Identifier: Apache-2.0
// Selects the best global from a study's committed rounds, where it validates.
//
// Round r tries the global that it begins with: the one after round r - 1,
// where the one after round 0 is the starting one. The round has no loss for it
// where its sum was lost or no site had validation cases. The global after the
// last round is not tried.
#ifndef HILUM_COORDINATOR_VALIDATION_H_
#define HILUM_COORDINATOR_VALIDATION_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "coordinator/study_result.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// Returns the number of rounds before the best tried global: the one with the
// lowest MeanValidationLoss, of equal ones the first. Nothing: none was tried.
std::optional<uint32_t> BestRound(const std::vector<RoundSummary>& rounds);

// Returns the round after which the evaluated global came; 0: the starting one.
// `has_best`: a best one was kept, and is evaluated; else the last one is.
uint32_t EvaluatedRound(const std::vector<RoundSummary>& rounds, bool has_best);

// Returns whether no training round comes after these: all planned rounds are
// committed, or the last `patience` tried globals brought no gain. A global
// brings a gain where it is the first one tried, or its loss is lower, by more
// than `minimum_gain`, than the loss of the last one that brought a gain.
bool TrainingIsOver(const v1::Study& study,
                    const std::vector<RoundSummary>& rounds);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_VALIDATION_H_
