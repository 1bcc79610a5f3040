// SPDX-License-Identifier: Apache-2.0
// The bins of score histograms: uniform in the log-odds log(p / (1 - p)) of the
// class on [-16, 16], low scores first. Scores beyond an end are in its bin.
#ifndef HILUM_COMMON_METRICS_SCORE_BINS_H_
#define HILUM_COMMON_METRICS_SCORE_BINS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace hilum {

// A view of the histograms of one class against the rest, [bins] each: the
// cases of the class and those of the other classes.
struct BinnedScores {
  absl::Span<const uint64_t> positives;
  absl::Span<const uint64_t> negatives;

  size_t bins() const { return positives.size(); }
};

// Returns the sum of the counts.
uint64_t TotalCount(absl::Span<const uint64_t> counts);

// Returns the log-odds at the lower edge of a bin; `bin` may be `bins`, whose
// edge is 16.
double BinEdge(size_t bin, size_t bins);
// Returns the log-odds in the middle of a bin.
double BinCentre(size_t bin, size_t bins);
// Returns 1 / (1 + exp(-log_odds)).
double Logistic(double log_odds);

// Returns thresholds for a curve that is shown: bins in falling order, the last
// one 0. A case counts as positive at a threshold if its bin is not below it.
// Between two thresholds, and above the first, there are at least
// `least_cases` cases, so no point of the curve differs from the next by fewer.
// Empty where there are fewer cases in all.
std::vector<size_t> CoarseThresholds(const BinnedScores& scores,
                                     uint64_t least_cases);

}  // namespace hilum

#endif  // HILUM_COMMON_METRICS_SCORE_BINS_H_
