// SPDX-License-Identifier: Apache-2.0
// Scores for the tests of metrics, and slow, obvious references.
#ifndef HILUM_TESTS_COMMON_METRICS_DRAWN_SCORES_H_
#define HILUM_TESTS_COMMON_METRICS_DRAWN_SCORES_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "common/base/rng.h"
#include "common/metrics/score_bins.h"

namespace hilum {

// One case: the bin of its score, and whether it is of the class.
struct DrawnCase {
  size_t bin;
  bool positive;
};

// Histograms that own their counts.
struct DrawnScores {
  std::vector<uint64_t> positives, negatives;
  std::vector<DrawnCase> cases;  // in the order of drawing

  explicit DrawnScores(size_t bins) : positives(bins), negatives(bins) {}
  void Add(bool positive, double log_odds) {
    const double bins = static_cast<double>(positives.size());
    const size_t bin = static_cast<size_t>(
        std::clamp((log_odds + 16) / 32 * bins, 0.0, bins - 1));
    ++(positive ? positives : negatives)[bin];
    cases.push_back({bin, positive});
  }
  BinnedScores view() const { return {positives, negatives}; }
  double Probability(const DrawnCase& one) const {
    return Logistic(BinCentre(one.bin, positives.size()));
  }
};

// Draws normal log-odds with standard deviation 1; the positives' mean is
// `distance` higher.
inline DrawnScores DrawScores(uint64_t seed, int positives, int negatives,
                              double distance, size_t bins) {
  Rng rng(seed, "drawn scores");
  DrawnScores scores(bins);
  for (int i = 0; i < positives; ++i) {
    scores.Add(true, rng.Normal() + distance / 2);
  }
  for (int i = 0; i < negatives; ++i) {
    scores.Add(false, rng.Normal() - distance / 2);
  }
  return scores;
}

}  // namespace hilum

#endif  // HILUM_TESTS_COMMON_METRICS_DRAWN_SCORES_H_
