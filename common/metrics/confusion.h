// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_METRICS_CONFUSION_H_
#define HILUM_COMMON_METRICS_CONFUSION_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "common/metrics/interval.h"

namespace hilum {

// Counts of cases by true class (rows) and argmax prediction (columns), and
// their metrics. A metric without cases is absent, never 0 or 1.
class Confusion {
 public:
  explicit Confusion(int num_classes);

  void Add(int truth, int predicted, uint64_t count);
  void Add(const Confusion& other);

  int num_classes() const { return num_classes_; }
  uint64_t count(int truth, int predicted) const;
  uint64_t RowSum(int truth) const;
  uint64_t Total() const;

  // Returns correct / all.
  std::optional<double> Accuracy() const;
  // Wilson's 95 % interval of the accuracy (Wilson 1927).
  std::optional<Interval> AccuracyInterval95() const;
  // Rates of one class against the rest: TP / (TP + FN) and TN / (TN + FP).
  std::optional<double> Sensitivity(int label) const;
  std::optional<double> Specificity(int label) const;
  // Wilson's 95 % intervals of these rates.
  std::optional<Interval> SensitivityInterval95(int label) const;
  std::optional<Interval> SpecificityInterval95(int label) const;

 private:
  uint64_t CorrectCount() const;
  uint64_t TrueNegatives(int label) const;

  int num_classes_;
  std::vector<uint64_t> counts_;  // [num_classes * num_classes]
};

// Returns the mean of the present values (macro average); absent if none is.
std::optional<double> MeanOfPresent(
    const std::vector<std::optional<double>>& values);

}  // namespace hilum

#endif  // HILUM_COMMON_METRICS_CONFUSION_H_
