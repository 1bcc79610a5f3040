// SPDX-License-Identifier: Apache-2.0
// Computes the census of a site's cases, before training.
#include <algorithm>
#include <limits>
#include <set>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "common/config/starting_weights.h"
#include "common/config/study.h"
#include "common/metrics/fingerprint.h"
#include "site_agent/trainer/data/case_fingerprint.h"
#include "site_agent/trainer/data/prepared_study.h"

namespace hilum {
namespace {

// Returns, for each fold and class, the patients of counted cases on whom a
// track of the arm trains, [folds * classes]; the smallest number where tracks
// that train on the fold differ.
std::vector<uint64_t> FewestTrained(
    const PreparedStudy& study, v1::Arm arm,
    absl::FunctionRef<bool(size_t index)> counts) {
  const int classes = study.classes();
  const size_t cells =
      study.study.cross_validation().folds() * static_cast<size_t>(classes);
  constexpr uint64_t kNone = std::numeric_limits<uint64_t>::max();
  std::vector<uint64_t> fewest(cells, kNone);
  for (const Track& track : study.tracks) {
    if (track.arm != arm) continue;
    std::vector<std::set<absl::string_view>> patients(cells);
    for (size_t i : study.CasesOf(track, Part::kTraining)) {
      if (!counts(i)) continue;
      const CaseRow& row = study.cases()[i];
      patients[static_cast<size_t>(study.pool.folds[i] * classes + row.label)]
          .insert(row.patient_id);
    }
    for (size_t cell = 0; cell < cells; ++cell) {
      if (static_cast<int>(cell) / classes == track.fold) continue;
      fewest[cell] = std::min<uint64_t>(fewest[cell], patients[cell].size());
    }
  }
  for (uint64_t& patients : fewest) {
    if (patients == kNone) patients = 0;
  }
  return fewest;
}

}  // namespace

v1::Fingerprint PreparedStudy::FingerprintOf(v1::Arm arm) const {
  v1::Fingerprint print = EmptyFingerprint();
  for (size_t i = 0; i < pool.folds.size(); ++i) {
    if (!Has(arm, i)) continue;
    AddToFingerprint(PlaneOf(arm, i),
                     arm == v1::ARM_SEGMENTED ? &LungsOf(arm, i) : nullptr,
                     pool.data.facts[i], print);
  }
  return print;
}

std::vector<uint64_t> PreparedStudy::TrainingPatients(v1::Arm arm) const {
  return FewestTrained(*this, arm, [](size_t) { return true; });
}

std::vector<uint64_t> PreparedStudy::UnseenPatients(v1::Arm arm) const {
  return FewestTrained(*this, arm,
                       [this](size_t i) { return !pool.seen.marks[i]; });
}

std::vector<uint64_t> PreparedStudy::SeenCounts(v1::Arm arm) const {
  std::vector<uint64_t> counts(study.cross_validation().folds() *
                               static_cast<size_t>(classes()));
  for (size_t i = 0; i < pool.folds.size(); ++i) {
    if (!Has(arm, i) || !pool.seen.marks[i]) continue;
    const int cell = pool.folds[i] * classes() + cases()[i].label;
    ++counts[static_cast<size_t>(cell)];
  }
  return counts;
}

std::vector<uint64_t> PreparedStudy::ValidationPatients(v1::Arm arm) const {
  const size_t folds = study.cross_validation().folds();
  constexpr uint64_t kUnseen = std::numeric_limits<uint64_t>::max();
  std::vector<uint64_t> fewest(folds, kUnseen);
  for (const Track& track : tracks) {
    if (track.arm != arm) continue;
    std::vector<std::set<absl::string_view>> seen(folds);
    for (size_t i : CasesOf(track, Part::kValidation)) {
      seen[static_cast<size_t>(pool.folds[i])].insert(cases()[i].patient_id);
    }
    for (size_t fold = 0; fold < folds; ++fold) {
      if (static_cast<int>(fold) == track.fold) continue;
      fewest[fold] = std::min<uint64_t>(fewest[fold], seen[fold].size());
    }
  }
  for (uint64_t& patients : fewest) {
    if (patients == kUnseen) patients = 0;
  }
  return fewest;
}

v1::ArmCensus PreparedStudy::Census(v1::Arm arm) const {
  v1::ArmCensus census;
  uint64_t count = 0;
  std::vector<uint64_t> counts(study.cross_validation().folds() *
                               static_cast<size_t>(classes()));
  for (size_t i = 0; i < pool.folds.size(); ++i) {
    if (!Has(arm, i)) {
      if (thin_arms.contains(arm)) continue;
      census.set_without_mask(census.without_mask() + 1);
      continue;
    }
    ++count;
    int cell = pool.folds[i] * classes() + cases()[i].label;
    ++counts[static_cast<size_t>(cell)];
  }
  census.mutable_fold_class_counts()->Add(counts.begin(), counts.end());
  const std::vector<uint64_t> patients = TrainingPatients(arm);
  census.mutable_fold_class_patients()->Add(patients.begin(), patients.end());
  if (ListsImages(study)) {
    const std::vector<uint64_t> seen = SeenCounts(arm);
    census.mutable_fold_class_seen()->Add(seen.begin(), seen.end());
    const std::vector<uint64_t> unseen = UnseenPatients(arm);
    census.mutable_fold_class_unseen_patients()->Add(unseen.begin(),
                                                     unseen.end());
  }
  if (IsValidated(study)) {
    const std::vector<uint64_t> kept = ValidationPatients(arm);
    census.mutable_fold_validation_patients()->Add(kept.begin(), kept.end());
  }
  *census.mutable_fingerprint() =
      count < kFingerprintCases ? EmptyFingerprint() : FingerprintOf(arm);
  return census;
}

std::vector<uint64_t> PreparedStudy::RejectedMasks() const {
  std::vector<uint64_t> counts(static_cast<size_t>(classes()));
  for (size_t i = 0; i < cases().size(); ++i) {
    if (pool.data.facts[i].mask_fault.empty()) continue;
    ++counts[static_cast<size_t>(cases()[i].label)];
  }
  return counts;
}

}  // namespace hilum
