// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/lung_masks.h"

#include <algorithm>

#include "common/config/census.h"
#include "common/config/study.h"

namespace hilum {
namespace {

// Returns the arm whose cases all have a mask; nothing where there is no such
// arm.
std::optional<v1::Arm> MaskedArm(const v1::Study& study) {
  if (IsSegmentation(study)) return v1::ARM_WHOLE;
  const auto& arms = study.arms();
  if (std::find(arms.begin(), arms.end(), v1::ARM_SEGMENTED) == arms.end()) {
    return std::nullopt;
  }
  return v1::ARM_SEGMENTED;
}

}  // namespace

std::optional<double> MaskCount::Share() const {
  if (with_mask.value_or(0) == 0) return std::nullopt;
  return static_cast<double>(rejected) / static_cast<double>(*with_mask);
}

std::optional<MaskCounts> CountMasks(
    const v1::Study& study,
    const google::protobuf::RepeatedPtrField<v1::ArmCensus>& arms,
    const google::protobuf::RepeatedField<uint64_t>& rejected_masks) {
  const std::optional<v1::Arm> masked = MaskedArm(study);
  if ((!masked.has_value() && !study.evaluation().localization()) ||
      !study.data_rules().judge_masks() ||
      rejected_masks.size() != study.classes_size()) {
    return std::nullopt;
  }
  MaskCounts counts;
  for (uint64_t rejected : rejected_masks) {
    counts.classes.push_back({.rejected = rejected});
    counts.all.rejected += rejected;
  }
  // The whole arm counts its cases with a mask, but not by class.
  counts.all.with_mask = counts.all.rejected + arms[0].fingerprint().masked();
  if (!masked.has_value()) return counts;
  const std::vector<uint64_t> used =
      TrainingCases(study, {*masked, Track::kFinal}, arms);
  counts.all.with_mask = counts.all.rejected;
  for (size_t c = 0; c < used.size(); ++c) {
    counts.classes[c].with_mask = counts.classes[c].rejected + used[c];
    *counts.all.with_mask += used[c];
  }
  return counts;
}

}  // namespace hilum
