// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/operating_point.h"

#include <utility>

#include "common/metrics/proportion.h"

namespace hilum {
namespace {

std::optional<double> Rate(uint64_t part, uint64_t rest) {
  if (part + rest == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(part + rest);
}

bool IsEmpty(const BinnedScores& scores, size_t bin) {
  return scores.positives[bin] == 0 && scores.negatives[bin] == 0;
}

// Compared by the first, and where it is equal by the second.
using Value = std::optional<std::pair<double, double>>;

// Walks the thresholds from `bins` down to 0 and returns the first one with the
// highest value. `value_of` returns nothing where a threshold may not be taken.
template <typename ValueOf>
std::optional<size_t> FirstBest(const BinnedScores& scores,
                                const ValueOf& value_of) {
  OperatingCounts counts = CountAt(scores, scores.bins());
  if (!counts.Youden()) return std::nullopt;
  std::optional<size_t> best;
  Value highest;
  for (size_t b = scores.bins();; --b) {
    const Value value = value_of(counts);
    if (value > highest) {
      best = b;
      highest = *value;
    }
    if (b == 0) return best;
    counts.true_positives += scores.positives[b - 1];
    counts.false_negatives -= scores.positives[b - 1];
    counts.false_positives += scores.negatives[b - 1];
    counts.true_negatives -= scores.negatives[b - 1];
  }
}

}  // namespace

void OperatingCounts::Add(const OperatingCounts& other) {
  true_positives += other.true_positives;
  false_negatives += other.false_negatives;
  true_negatives += other.true_negatives;
  false_positives += other.false_positives;
}

std::optional<double> OperatingCounts::Sensitivity() const {
  return Rate(true_positives, false_negatives);
}

std::optional<double> OperatingCounts::Specificity() const {
  return Rate(true_negatives, false_positives);
}

std::optional<Interval> OperatingCounts::SensitivityInterval95() const {
  return WilsonInterval(true_positives, true_positives + false_negatives);
}

std::optional<Interval> OperatingCounts::SpecificityInterval95() const {
  return WilsonInterval(true_negatives, true_negatives + false_positives);
}

std::optional<double> OperatingCounts::Youden() const {
  const std::optional<double> sensitivity = Sensitivity();
  const std::optional<double> specificity = Specificity();
  if (!sensitivity || !specificity) return std::nullopt;
  return *sensitivity + *specificity - 1;
}

std::optional<Interval> OperatingCounts::YoudenInterval95() const {
  if (!Youden()) return std::nullopt;
  const Interval sum =
      SquareAndAdd({{1, *Sensitivity(), *SensitivityInterval95()},
                    {1, *Specificity(), *SpecificityInterval95()}});
  return Interval{sum.low - 1, sum.high - 1};
}

OperatingCounts CountAt(const BinnedScores& scores, size_t threshold) {
  const size_t above = scores.bins() - threshold;
  const uint64_t found = TotalCount(scores.positives.last(above));
  const uint64_t wrong = TotalCount(scores.negatives.last(above));
  return {.true_positives = found,
          .false_negatives = TotalCount(scores.positives) - found,
          .true_negatives = TotalCount(scores.negatives) - wrong,
          .false_positives = wrong};
}

std::optional<size_t> ThresholdAtSpecificity(const BinnedScores& scores,
                                             double least_specificity) {
  return FirstBest(scores, [&](const OperatingCounts& counts) -> Value {
    if (*counts.Specificity() < least_specificity) return std::nullopt;
    return {{*counts.Sensitivity(), *counts.Specificity()}};
  });
}

std::optional<size_t> ThresholdAtSensitivity(const BinnedScores& scores,
                                             double least_sensitivity) {
  return FirstBest(scores, [&](const OperatingCounts& counts) -> Value {
    if (*counts.Sensitivity() < least_sensitivity) return std::nullopt;
    return {{*counts.Specificity(), *counts.Sensitivity()}};
  });
}

std::optional<size_t> YoudenThreshold(const BinnedScores& scores) {
  const std::optional<size_t> best =
      FirstBest(scores, [](const OperatingCounts& counts) -> Value {
        return {{*counts.Youden(), 0}};
      });
  if (!best) return best;
  // There are cases below: with none the index is 0, as above all scores.
  size_t empty = 0;
  while (IsEmpty(scores, *best - empty - 1)) ++empty;
  return *best - empty / 2;
}

}  // namespace hilum
