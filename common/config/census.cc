// SPDX-License-Identifier: Apache-2.0
#include "common/config/census.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/config/starting_weights.h"
#include "common/metrics/fingerprint.h"

namespace hilum {
namespace {

using Counts = google::protobuf::RepeatedField<uint64_t>;

uint64_t Sum(const Counts& counts) {
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

bool AllUpTo(uint64_t most, const Counts& counts) {
  return std::all_of(counts.begin(), counts.end(),
                     [most](uint64_t count) { return count <= most; });
}

// Returns the entries of fold_validation_patients: none where the study does
// not validate.
int ValidationFolds(const v1::Study& study) {
  return IsValidated(study) ? static_cast<int>(study.cross_validation().folds())
                            : 0;
}

absl::Status CheckValidationPatients(const v1::Study& study,
                                     const v1::ArmCensus& arm) {
  if (arm.fold_validation_patients_size() != ValidationFolds(study)) {
    return absl::InvalidArgumentError(
        absl::StrCat("census: fold_validation_patients has ",
                     arm.fold_validation_patients_size(),
                     " entries, the study says ", ValidationFolds(study)));
  }
  if (AllUpTo(kMaxArmCases, arm.fold_validation_patients())) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "census: over ", kMaxArmCases, " validation patients in a fold"));
}

absl::Status CheckArm(const v1::ArmCensus& arm, int64_t cells) {
  if (arm.fold_class_counts_size() != cells) {
    return absl::InvalidArgumentError(absl::StrCat(
        "census: fold_class_counts has ", arm.fold_class_counts_size(),
        " entries, the study says ", cells));
  }
  if (arm.fold_class_patients_size() != cells) {
    return absl::InvalidArgumentError(absl::StrCat(
        "census: fold_class_patients has ", arm.fold_class_patients_size(),
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
  HILUM_RETURN_IF_ERROR(CheckPatients(arm));
  return CheckFingerprint(arm);
}

absl::Status CheckRejectedMasks(const v1::SubmitCensusRequest& census,
                                int classes) {
  if (census.rejected_masks_size() == classes &&
      AllUpTo(kMaxRows, census.rejected_masks())) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("census: rejected_masks has ", census.rejected_masks_size(),
                   " entries or one over ", kMaxRows, ", the study has ",
                   classes, " classes"));
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
    HILUM_RETURN_IF_ERROR(CheckSeen(study, arm));
    HILUM_RETURN_IF_ERROR(CheckValidationPatients(study, arm));
  }
  return CheckRejectedMasks(census, study.classes_size());
}

absl::Status CheckTotalsShape(const v1::Study& study,
                              const v1::CensusTotals& totals) {
  constexpr uint64_t kMostCases = kMaxArmCases * 1000;  // of so many sites
  const int cells =
      static_cast<int>(study.cross_validation().folds()) * study.classes_size();
  const int tracks = static_cast<int>(StudyTracks(study).size());
  bool fits =
      totals.arms_size() == study.arms_size() &&
      totals.track_sites_size() == tracks &&
      totals.track_class_sites_size() == tracks * study.classes_size() &&
      totals.capped_patients_size() == study.arms_size() * cells &&
      totals.capped_unseen_patients_size() ==
          (ListsImages(study) ? study.arms_size() * cells : 0) &&
      totals.capped_validation_patients_size() ==
          study.arms_size() * ValidationFolds(study);
  for (const v1::ArmCensus& arm : totals.arms()) {
    fits = fits && arm.fold_class_counts_size() == cells &&
           arm.fold_class_patients_size() == cells &&
           arm.fold_validation_patients_size() == ValidationFolds(study) &&
           AllUpTo(kMostCases, arm.fold_validation_patients()) &&
           AllUpTo(kMostCases, arm.fold_class_counts()) &&
           Sum(arm.fold_class_counts()) <= kMostCases &&
           CheckSeen(study, arm).ok();
  }
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "the cohort's census that the coordinator tells is not of the study's "
      "arms, folds, classes and tracks");
}

absl::Status CheckPatients(const v1::ArmCensus& arm) {
  for (int cell = 0; cell < arm.fold_class_patients_size(); ++cell) {
    const uint64_t patients = arm.fold_class_patients(cell);
    const uint64_t cases = arm.fold_class_counts(cell);
    if (patients <= cases) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("census: ", patients, " patients in cell ", cell,
                     " of fold and class, which has ", cases, " cases"));
  }
  return absl::OkStatus();
}

absl::Status CheckSeen(const v1::Study& study, const v1::ArmCensus& arm) {
  const int cells = ListsImages(study) ? arm.fold_class_counts_size() : 0;
  const Counts& seen = arm.fold_class_seen();
  const Counts& unseen = arm.fold_class_unseen_patients();
  if (seen.size() != cells || unseen.size() != cells) {
    return absl::InvalidArgumentError(
        absl::StrCat("census: fold_class_seen has ", seen.size(),
                     " entries and fold_class_unseen_patients ", unseen.size(),
                     ", the study says ", cells));
  }
  for (int cell = 0; cell < cells; ++cell) {
    if (seen[cell] <= arm.fold_class_counts(cell) &&
        unseen[cell] <= arm.fold_class_patients(cell)) {
      continue;
    }
    return absl::InvalidArgumentError(absl::StrCat(
        "census: ", seen[cell], " seen cases and ", unseen[cell],
        " unseen patients in cell ", cell, " of fold and class, which has ",
        arm.fold_class_counts(cell), " cases of ",
        arm.fold_class_patients(cell), " patients"));
  }
  return absl::OkStatus();
}

absl::Status CheckFingerprint(const v1::ArmCensus& arm) {
  const v1::Fingerprint& print = arm.fingerprint();
  if (print.grays_size() != kFingerprintGrays ||
      print.sides_size() != kFingerprintSides) {
    return absl::InvalidArgumentError(
        absl::StrCat("census: a fingerprint of ", print.grays_size(),
                     " grays and ", print.sides_size(), " sides, not of ",
                     kFingerprintGrays, " and ", kFingerprintSides));
  }
  // Checks each count first, then their sum, which then cannot wrap. Arms with
  // few cases have no fingerprint.
  const uint64_t most = Sum(arm.fold_class_counts());
  const uint64_t cases =
      AllUpTo(most, print.sides()) ? Sum(print.sides()) : most + 1;
  const uint64_t pixels = kFingerprintShare * cases;
  if (cases <= most && AllUpTo(pixels, print.grays()) &&
      Sum(print.grays()) <= pixels + kGrayRounding * cases &&
      print.masked() <= cases &&
      print.lung_share() <= kFingerprintShare * print.masked()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "census: a fingerprint of ", Sum(print.sides()), " sides, ",
      print.masked(), " masks with ", print.lung_share(), " and ",
      Sum(print.grays()), " grays, which ", most, " cases cannot have"));
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
