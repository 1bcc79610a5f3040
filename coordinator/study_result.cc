// SPDX-License-Identifier: Apache-2.0
#include "coordinator/study_result.h"

#include <algorithm>
#include <cmath>

#include "common/aggregation/fed_avg.h"

namespace hilum {

std::vector<SiteId> RoundSummary::Trainers() const {
  if (!examples.empty() &&
      std::all_of(examples.begin(), examples.end(),
                  [](uint64_t count) { return count == 0; })) {
    return {};
  }
  if (site_examples.size() != contributors.size()) return contributors;
  std::vector<SiteId> trainers;
  for (size_t i = 0; i < contributors.size(); ++i) {
    if (site_examples[i] > 0) trainers.push_back(contributors[i]);
  }
  return trainers;
}

bool RoundSummary::HasFittingLengths() const {
  if (!site_examples.empty() && site_examples.size() != contributors.size()) {
    return false;
  }
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
  const size_t losses = validation_loss.size() / arms;
  const size_t tracks = validation_examples.size() / arms;
  return MeanLossOf(
      absl::MakeConstSpan(validation_examples).subspan(arm * tracks, tracks),
      absl::MakeConstSpan(validation_loss).subspan(arm * losses, losses));
}

}  // namespace hilum
