// SPDX-License-Identifier: Apache-2.0
#include "common/config/census.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

absl::Status CheckArm(const v1::ArmCensus& arm, int64_t cells) {
  if (arm.fold_class_counts_size() != cells) {
    return absl::InvalidArgumentError(absl::StrCat(
        "census: fold_class_counts has ", arm.fold_class_counts_size(),
        " entries, the study says ", cells));
  }
  uint64_t cases = 0;
  for (uint64_t count : arm.fold_class_counts()) {
    if (count > kMaxArmCases - cases) {
      return absl::InvalidArgumentError(
          absl::StrCat("census: over ", kMaxArmCases, " cases in an arm"));
    }
    cases += count;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckCensusShape(const v1::Study& study,
                              const v1::SubmitCensusRequest& census) {
  if (census.arms_size() != study.arms_size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("census: arms has ", census.arms_size(),
                     " entries, the study says ", study.arms_size()));
  }
  const int64_t cells =
      int64_t{study.cross_validation().folds()} * study.classes_size();
  for (const v1::ArmCensus& arm : census.arms()) {
    HILUM_RETURN_IF_ERROR(CheckArm(arm, cells));
  }
  return absl::OkStatus();
}

std::vector<uint64_t> TrainingCases(
    const v1::Study& study, const Track& track,
    const google::protobuf::RepeatedPtrField<v1::ArmCensus>& arms) {
  const int classes = study.classes_size();
  const int folds = static_cast<int>(study.cross_validation().folds());
  const auto arm = std::find(study.arms().begin(), study.arms().end(),
                             static_cast<int>(track.arm));
  const v1::ArmCensus& counts =
      arms[static_cast<int>(arm - study.arms().begin())];
  std::vector<uint64_t> cases(static_cast<size_t>(classes));
  for (int fold = 0; fold < folds; ++fold) {
    if (fold == track.fold) continue;
    for (int c = 0; c < classes; ++c) {
      cases[static_cast<size_t>(c)] +=
          counts.fold_class_counts(fold * classes + c);
    }
  }
  return cases;
}

}  // namespace hilum
