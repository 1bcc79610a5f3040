// SPDX-License-Identifier: Apache-2.0
// What a study's committed rounds say of its globals, where it validates.
//
// Round r tries the global that it begins with: that of after round r - 1,
// after 0 being the starting one. It says nothing of it where its sum was lost
// or no site had validation cases. The global of after the last round is not
// tried.
#ifndef HILUM_COORDINATOR_VALIDATION_H_
#define HILUM_COORDINATOR_VALIDATION_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "coordinator/study_result.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// After how many rounds the best of the tried globals came: the one of the
// lowest MeanValidationLoss, of equal ones the first. None: none was tried.
std::optional<uint32_t> BestRound(const std::vector<RoundSummary>& rounds);

// After which round the evaluated global came; 0: it is the starting one.
// `has_best`: a best one was kept, and is evaluated; else the last one is.
uint32_t EvaluatedRound(const std::vector<RoundSummary>& rounds, bool has_best);

// Whether no training round comes after these: all planned are committed, or
// the last `patience` tried globals brought no gain. One brings a gain whose
// loss is lower, by more than `minimum_gain`, than that of the last one that
// did; the first one tried does.
bool TrainingIsOver(const v1::Study& study,
                    const std::vector<RoundSummary>& rounds);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_VALIDATION_H_
