// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/calibration_line.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace hilum {
namespace {

constexpr int kMostSteps = 50;

struct Bin {
  double x;  // log-odds
  double positives;
  double cases;
};

// The log-likelihood of log-odds a + b x, with its derivatives.
struct Likelihood {
  double value = 0;
  double a = 0, b = 0;            // gradient
  double aa = 0, ab = 0, bb = 0;  // information
};

Likelihood LikelihoodAt(const std::vector<Bin>& bins, double a, double b) {
  Likelihood sum;
  for (const Bin& bin : bins) {
    const double eta = a + b * bin.x;
    const double p = Logistic(eta);
    // log(1 + exp(eta)), which does not overflow
    const double log_sum =
        std::max(eta, 0.0) + std::log1p(std::exp(-std::abs(eta)));
    sum.value += bin.positives * eta - bin.cases * log_sum;
    const double off = bin.positives - bin.cases * p;
    const double weight = bin.cases * p * (1 - p);
    sum.a += off;
    sum.b += off * bin.x;
    sum.aa += weight;
    sum.ab += weight * bin.x;
    sum.bb += weight * bin.x * bin.x;
  }
  return sum;
}

Coefficient WithInterval(double value, double variance) {
  const double half = kZ95 * std::sqrt(variance);
  return {value, {value - half, value + half}};
}

// Climbs from (a, b) with Newton's steps, halved where one goes down. `fixed`:
// b stays. Returns nothing where it does not converge.
std::optional<Likelihood> Climb(const std::vector<Bin>& bins, bool fixed,
                                double& a, double& b) {
  Likelihood at = LikelihoodAt(bins, a, b);
  for (int step = 0; step < kMostSteps; ++step) {
    const double det = fixed ? at.aa : at.aa * at.bb - at.ab * at.ab;
    if (!(det > 0)) return std::nullopt;
    double da = fixed ? at.a / det : (at.bb * at.a - at.ab * at.b) / det;
    double db = fixed ? 0 : (at.aa * at.b - at.ab * at.a) / det;
    Likelihood next = LikelihoodAt(bins, a + da, b + db);
    for (int half = 0; half < 40 && !(next.value >= at.value); ++half) {
      da /= 2;
      db /= 2;
      next = LikelihoodAt(bins, a + da, b + db);
    }
    const bool still = std::abs(da) < 1e-10 * (1 + std::abs(a)) &&
                       std::abs(db) < 1e-10 * (1 + std::abs(b));
    // Where rounding lets no step go up, it is the top.
    if (!(next.value >= at.value)) return at;
    a += da;
    b += db;
    at = next;
    if (still) return at;
  }
  return std::nullopt;
}

// Returns whether some threshold has all positives on one side, itself
// included, and all negatives on the other.
bool IsSeparated(const BinnedScores& scores) {
  const auto lowest = [](absl::Span<const uint64_t> counts) {
    return std::find_if(counts.begin(), counts.end(),
                        [](uint64_t n) { return n > 0; }) -
           counts.begin();
  };
  const auto highest = [](absl::Span<const uint64_t> counts) {
    return counts.rend() - 1 -
           std::find_if(counts.rbegin(), counts.rend(),
                        [](uint64_t n) { return n > 0; });
  };
  return lowest(scores.positives) >= highest(scores.negatives) ||
         highest(scores.positives) <= lowest(scores.negatives);
}

}  // namespace

CalibrationLine FitCalibrationLine(const BinnedScores& scores) {
  CalibrationLine line;
  if (TotalCount(scores.positives) == 0 || TotalCount(scores.negatives) == 0) {
    return line;
  }
  std::vector<Bin> bins;
  for (size_t i = 0; i < scores.bins(); ++i) {
    const uint64_t cases = scores.positives[i] + scores.negatives[i];
    if (cases == 0) continue;
    bins.push_back({BinCentre(i, scores.bins()),
                    static_cast<double>(scores.positives[i]),
                    static_cast<double>(cases)});
  }
  double a = 0, b = 1;
  if (const auto top = Climb(bins, true, a, b)) {
    line.intercept = WithInterval(a, 1 / top->aa);
  }
  if (IsSeparated(scores)) return line;
  a = b = 0;
  if (const auto top = Climb(bins, false, a, b)) {
    line.slope =
        WithInterval(b, top->aa / (top->aa * top->bb - top->ab * top->ab));
  }
  return line;
}

}  // namespace hilum
