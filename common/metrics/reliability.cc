// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/reliability.h"

#include <algorithm>
#include <cmath>

#include "common/metrics/proportion.h"

namespace hilum {
namespace {

// Cases of a group that is not yet made.
struct Sum {
  double probability = 0;
  uint64_t positives = 0;
  uint64_t cases = 0;

  void Add(const Sum& other) {
    probability += other.probability;
    positives += other.positives;
    cases += other.cases;
  }
};

ReliabilityGroup GroupOf(const Sum& sum) {
  const double n = static_cast<double>(sum.cases);
  return {.predicted = sum.probability / n,
          .observed = static_cast<double>(sum.positives) / n,
          .interval95 = *WilsonInterval(sum.positives, sum.cases),
          .num_cases = sum.cases};
}

}  // namespace

std::vector<ReliabilityGroup> ReliabilityGroups(const BinnedScores& scores,
                                                uint64_t groups,
                                                uint64_t least_cases) {
  const uint64_t all =
      TotalCount(scores.positives) + TotalCount(scores.negatives);
  least_cases = std::max<uint64_t>(least_cases, 1);
  if (all < least_cases) return {};
  groups = std::min(groups, all / least_cases);
  std::vector<Sum> sums;
  Sum open;
  uint64_t so_far = 0;
  uint64_t shares = 0;  // that so_far has reached
  for (size_t b = 0; b < scores.bins(); ++b) {
    const uint64_t cases = scores.positives[b] + scores.negatives[b];
    if (cases == 0) continue;
    open.Add({.probability = static_cast<double>(cases) *
                             Logistic(BinCentre(b, scores.bins())),
              .positives = scores.positives[b],
              .cases = cases});
    so_far += cases;
    const uint64_t reached = so_far * groups / all;
    if (reached == shares || open.cases < least_cases) continue;
    shares = reached;
    sums.push_back(open);
    open = {};
  }
  if (open.cases > 0) sums.back().Add(open);
  std::vector<ReliabilityGroup> result;
  for (const Sum& sum : sums) result.push_back(GroupOf(sum));
  return result;
}

std::optional<double> ExpectedCalibrationError(
    absl::Span<const ReliabilityGroup> groups) {
  double sum = 0, cases = 0;
  for (const ReliabilityGroup& group : groups) {
    const double n = static_cast<double>(group.num_cases);
    sum += n * std::abs(group.predicted - group.observed);
    cases += n;
  }
  if (cases == 0) return std::nullopt;
  return sum / cases;
}

}  // namespace hilum
