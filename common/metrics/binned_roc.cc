// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/binned_roc.h"

#include "common/metrics/auc_interval.h"
#include "common/metrics/score_bins.h"

namespace hilum {
namespace {

double Total(absl::Span<const uint64_t> counts) {
  return static_cast<double>(TotalCount(counts));
}

// Returns the sample variance of placements v_b, each weighted w_b times, about
// `mean`.
double Variance(absl::Span<const uint64_t> weights,
                const std::vector<double>& placements, double mean,
                double total) {
  double sum = 0;
  for (size_t b = 0; b < placements.size(); ++b) {
    double off = placements[b] - mean;
    sum += static_cast<double>(weights[b]) * off * off;
  }
  return sum / (total - 1);
}

}  // namespace

std::vector<RocPoint> BinnedRocCurve(absl::Span<const uint64_t> positives,
                                     absl::Span<const uint64_t> negatives) {
  double all_positives = Total(positives);
  double all_negatives = Total(negatives);
  std::vector<RocPoint> curve;
  if (all_positives == 0 || all_negatives == 0) return curve;
  curve.push_back({0, 0});
  uint64_t above_positives = 0;
  uint64_t above_negatives = 0;
  for (size_t b = positives.size(); b-- > 0;) {
    if (positives[b] == 0 && negatives[b] == 0) continue;
    above_positives += positives[b];
    above_negatives += negatives[b];
    curve.push_back({static_cast<double>(above_negatives) / all_negatives,
                     static_cast<double>(above_positives) / all_positives});
  }
  return curve;
}

std::optional<BinnedAuc> ComputeBinnedAuc(
    absl::Span<const uint64_t> positives,
    absl::Span<const uint64_t> negatives) {
  const double p_total = Total(positives);
  const double n_total = Total(negatives);
  if (p_total == 0 || n_total == 0) return std::nullopt;

  // The placement of a positive is the share of negatives below it (ties half);
  // of a negative, the share of positives above it.
  std::vector<double> positive_placements(positives.size());
  std::vector<double> negative_placements(positives.size());
  double n_below = 0;
  double p_below = 0;
  double ties = 0;
  double wins = 0;
  for (size_t b = 0; b < positives.size(); ++b) {
    double p = static_cast<double>(positives[b]);
    double n = static_cast<double>(negatives[b]);
    positive_placements[b] = (n_below + n / 2) / n_total;
    negative_placements[b] = (p_total - p_below - p / 2) / p_total;
    wins += p * (n_below + n / 2);
    ties += p * n;
    n_below += n;
    p_below += p;
  }
  BinnedAuc result{.auc = wins / (p_total * n_total),
                   .error_bound = ties / (2 * p_total * n_total),
                   .variance = std::nullopt,
                   .interval95 = std::nullopt,
                   .num_positives = static_cast<uint64_t>(p_total),
                   .num_negatives = static_cast<uint64_t>(n_total)};
  const double auc = result.auc;
  if (p_total < 2 || n_total < 2) return result;
  result.variance =
      Variance(positives, positive_placements, auc, p_total) / p_total +
      Variance(negatives, negative_placements, auc, n_total) / n_total;
  result.interval95 =
      IsUsableVariance(*result.variance)
          ? LogitInterval(auc, *result.variance)
          : NewcombeAucInterval(auc,
                                {{result.num_positives, result.num_negatives}});
  return result;
}

bool BinnedAuc::HasNewcombeInterval() const {
  return variance.has_value() && !IsUsableVariance(*variance);
}

// One pair of 10^8 in the wrong order still has more; rounding has less.
bool IsUsableVariance(double variance) { return variance > 1e-24; }

}  // namespace hilum
