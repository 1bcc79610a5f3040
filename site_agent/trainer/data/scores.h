// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_DATA_SCORES_H_
#define HILUM_SITE_AGENT_TRAINER_DATA_SCORES_H_

#include <vector>

#include "absl/types/span.h"
#include "hilum/v1/federation.pb.h"

namespace hilum {

// Returns the log-probabilities of a row of logits, computed in double.
std::vector<double> LogSoftmax(absl::Span<const float> logits);

// Returns the log-odds log(p / (1 - p)) of each class, exact also where p
// rounds to 1.
std::vector<double> LogOdds(absl::Span<const float> logits);

// Returns min(bins - 1, floor((z + 16) / 32 * bins)) with z clamped to [-16,
// 16]. A NaN falls into bin 0.
int ScoreBin(double log_odds, int bins);

// Adds one held-out case to counts made by NewEvaluation.
void AddCase(absl::Span<const float> logits, int label,
             v1::TrackEvaluation& evaluation);

// Returns counts of zero: confusion [classes^2], histograms [bins] each.
v1::TrackEvaluation NewEvaluation(int track, int classes, int bins);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_DATA_SCORES_H_
