// SPDX-License-Identifier: Apache-2.0
// Computes the census of a site's cases, before training.
#include <algorithm>
#include <limits>
#include <set>

#include "absl/strings/string_view.h"
#include "common/metrics/fingerprint.h"
#include "site_agent/trainer/data/case_fingerprint.h"
#include "site_agent/trainer/data/prepared_study.h"

namespace hilum {

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
  const size_t cells =
      study.cross_validation().folds() * static_cast<size_t>(classes());
  constexpr uint64_t kUnseen = std::numeric_limits<uint64_t>::max();
  std::vector<uint64_t> fewest(cells, kUnseen);
  for (const Track& track : tracks) {
    if (track.arm != arm) continue;
    std::vector<std::set<absl::string_view>> seen(cells);
    for (size_t i : CasesOf(track, Part::kTraining)) {
      const CaseRow& row = cases()[i];
      seen[static_cast<size_t>(pool.folds[i] * classes() + row.label)].insert(
          row.patient_id);
    }
    for (size_t cell = 0; cell < cells; ++cell) {
      if (static_cast<int>(cell) / classes() == track.fold) continue;
      fewest[cell] = std::min<uint64_t>(fewest[cell], seen[cell].size());
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
