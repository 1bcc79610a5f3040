// SPDX-License-Identifier: Apache-2.0
#include "coordinator/study_result.h"

#include <cmath>
#include <numeric>

namespace hilum {

bool RoundSummary::HasFittingLosses() const {
  if (validation_loss.empty()) return validation_examples.empty();
  return !validation_examples.empty() &&
         validation_examples.size() % validation_loss.size() == 0;
}

double RoundSummary::ArmLoss(size_t arm, size_t arms) const {
  const size_t count = mean_loss.size() / arms;  // 1, or the arm's tracks
  double sum = 0;
  int trained = 0;
  for (size_t i = arm * count; i < (arm + 1) * count; ++i) {
    if (std::isnan(mean_loss[i])) continue;
    sum += mean_loss[i];
    ++trained;
  }
  return trained > 0 ? sum / trained : std::nan("");
}

double RoundSummary::ArmValidationLoss(size_t arm, size_t arms) const {
  if (validation_loss.empty()) return std::nan("");
  const size_t count = validation_loss.size() / arms;
  // Tracks over which each loss is pooled.
  const auto tracks = static_cast<ptrdiff_t>(validation_examples.size() /
                                             validation_loss.size());
  double sum = 0, examples = 0;
  for (size_t i = arm * count; i < (arm + 1) * count; ++i) {
    const auto first =
        validation_examples.begin() + static_cast<ptrdiff_t>(i) * tracks;
    const uint64_t cases = std::accumulate(first, first + tracks, uint64_t{0});
    if (cases == 0) continue;
    sum += static_cast<double>(cases) * validation_loss[i];
    examples += static_cast<double>(cases);
  }
  return examples > 0 ? sum / examples : std::nan("");
}

}  // namespace hilum
