// SPDX-License-Identifier: Apache-2.0
#include "common/config/cohort_rules.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/config/census.h"
#include "common/config/study.h"

namespace hilum {
namespace {

using Arms = google::protobuf::RepeatedPtrField<v1::ArmCensus>;

uint64_t Sum(const std::vector<uint64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

absl::Status TooFew(const v1::Study& study, absl::string_view whose, int arm,
                    int cell, uint64_t patients, uint32_t minimum) {
  const int classes = study.classes_size();
  return absl::FailedPreconditionError(absl::StrCat(
      whose, " too few patients in a cell: ", patients, " of class ",
      study.classes(cell % classes), " in fold ", cell / classes + 1,
      " of arm ", ArmName(study.arms(arm)), ", fewer than ", minimum,
      ", could be told apart in the sums; take fewer folds, merge classes or "
      "add cases"));
}

absl::Status CheckCellsOf(const v1::Study& study, const Arms& arms,
                          absl::string_view whose, uint32_t minimum) {
  for (int a = 0; a < arms.size(); ++a) {
    for (int cell = 0; cell < arms[a].fold_class_patients_size(); ++cell) {
      const uint64_t patients = arms[a].fold_class_patients(cell);
      if (patients == 0 || patients >= minimum) continue;
      return TooFew(study, whose, a, cell, patients, minimum);
    }
  }
  return absl::OkStatus();
}

// [tracks][classes]
std::vector<std::vector<uint64_t>> CohortCases(const v1::Study& study,
                                               const v1::CensusTotals& totals) {
  const std::vector<bool> active = ActiveTracks(study, totals);
  const std::vector<Track> tracks = StudyTracks(study);
  std::vector<std::vector<uint64_t>> cases;
  for (size_t t = 0; t < tracks.size(); ++t) {
    cases.push_back(active[t] ? TrainingCases(study, tracks[t], totals.arms())
                              : std::vector<uint64_t>(
                                    static_cast<size_t>(study.classes_size())));
  }
  return cases;
}

const v1::ArmCensus& ArmOf(const v1::Study& study, const Track& track,
                           const v1::CensusTotals& totals) {
  const auto arm = std::find(study.arms().begin(), study.arms().end(),
                             static_cast<int>(track.arm));
  return totals.arms(static_cast<int>(arm - study.arms().begin()));
}

}  // namespace

PolicyLimits LimitsOf(const v1::Policy& policy) {
  PolicyLimits limits;
  limits.minimum_own_cell_patients = policy.minimum_own_cell_patients();
  if (policy.has_minimum_cell_patients()) {
    limits.minimum_cell_patients = policy.minimum_cell_patients();
  }
  if (policy.has_minimum_steps()) limits.minimum_steps = policy.minimum_steps();
  if (policy.has_largest_share()) limits.largest_share = policy.largest_share();
  return limits;
}

absl::Status CheckCells(const v1::Study& study, const v1::CensusTotals& totals,
                        uint32_t minimum_patients) {
  return CheckCellsOf(study, totals.arms(), "the cohort has", minimum_patients);
}

absl::Status CheckOwnCells(const v1::Study& study, const Arms& own,
                           uint32_t minimum_patients) {
  return CheckCellsOf(study, own, "this site has", minimum_patients);
}

std::vector<bool> ActiveTracks(const v1::Study& study,
                               const v1::CensusTotals& totals) {
  std::vector<bool> active(StudyTracks(study).size(), true);
  if (!IsSecure(study)) return active;
  for (size_t t = 0; t < active.size(); ++t) {
    active[t] = totals.track_sites(static_cast<int>(t)) >= kTrackSites;
  }
  return active;
}

std::vector<ThinClass> ThinClasses(const v1::Study& study,
                                   const v1::CensusTotals& totals) {
  std::vector<ThinClass> thin;
  if (!IsSecure(study)) return thin;
  const std::vector<bool> active = ActiveTracks(study, totals);
  const int classes = study.classes_size();
  for (size_t t = 0; t < active.size(); ++t) {
    for (int c = 0; active[t] && c < classes; ++c) {
      const uint64_t sites =
          totals.track_class_sites(static_cast<int>(t) * classes + c);
      if (sites > 0 && sites < kTrackSites) thin.push_back({t, c, sites});
    }
  }
  return thin;
}

std::string DescribeThinClass(const v1::Study& study, const ThinClass& thin) {
  return absl::StrCat(
      "of class ", study.classes(thin.label), " only ", thin.sites,
      thin.sites == 1 ? " site has" : " sites have", " cases for track ",
      ArmTrackName(StudyTracks(study)[thin.track]), ", fewer than ",
      kTrackSites, ": what the sum says of the class is said of them");
}

absl::Status CheckDominance(const v1::Study& study, const Arms& own,
                            const v1::CensusTotals& totals,
                            double largest_share) {
  const std::vector<Track> tracks = StudyTracks(study);
  const std::vector<uint64_t> all = TrackExamples(study, totals);
  for (size_t t = 0; t < tracks.size(); ++t) {
    if (all[t] == 0) continue;
    const double share =
        static_cast<double>(Sum(TrainingCases(study, tracks[t], own))) /
        static_cast<double>(all[t]);
    if (share <= largest_share) continue;
    return absl::FailedPreconditionError(absl::StrFormat(
        "this site has %.0f %% of the cohort's cases for track %s, more than "
        "%.0f %%: the sum is nearly its own update; a cohort with more cases "
        "elsewhere would hide it",
        100 * share, ArmTrackName(tracks[t]), 100 * largest_share));
  }
  return absl::OkStatus();
}

std::vector<uint64_t> TrackExamples(const v1::Study& study,
                                    const v1::CensusTotals& totals) {
  std::vector<uint64_t> examples;
  for (const std::vector<uint64_t>& cases : CohortCases(study, totals)) {
    examples.push_back(Sum(cases));
  }
  return examples;
}

std::vector<double> ClassWeights(const v1::Study& study,
                                 const v1::CensusTotals& totals) {
  std::vector<double> weights;
  for (const std::vector<uint64_t>& cases : CohortCases(study, totals)) {
    const double total = static_cast<double>(Sum(cases));
    for (uint64_t count : cases) {
      weights.push_back(count == 0 ? 0
                                   : total / (study.classes_size() *
                                              static_cast<double>(count)));
    }
  }
  return weights;
}

std::vector<uint64_t> HeldOut(const v1::Study& study,
                              const v1::CensusTotals& totals) {
  const std::vector<bool> active = ActiveTracks(study, totals);
  const std::vector<Track> tracks = StudyTracks(study);
  std::vector<uint64_t> examples(tracks.size());
  for (size_t t = 0; t < tracks.size(); ++t) {
    if (!active[t]) continue;
    const Track all{tracks[t].arm, Track::kFinal};
    examples[t] = Sum(TrainingCases(study, all, totals.arms())) -
                  Sum(TrainingCases(study, tracks[t], totals.arms()));
  }
  return examples;
}

std::vector<bool> HistogramsShown(const v1::Study& study,
                                  const v1::CensusTotals& totals,
                                  uint32_t minimum_patients) {
  const std::vector<bool> active = ActiveTracks(study, totals);
  const std::vector<Track> tracks = StudyTracks(study);
  const int classes = study.classes_size();
  // A study of one site hides nothing of it (kVisibleUpdates, risks.h).
  const uint32_t least = study.sites_size() == 1 ? 1 : minimum_patients;
  std::vector<bool> shown(tracks.size() * static_cast<size_t>(classes));
  if (IsSegmentation(study)) return shown;
  for (size_t t = 0; t < tracks.size(); ++t) {
    if (!active[t] || tracks[t].IsFinal()) continue;
    const auto& patients =
        ArmOf(study, tracks[t], totals).fold_class_patients();
    const auto of_class = [&](int c) {
      return patients[tracks[t].fold * classes + c];
    };
    for (int c = 0; c < classes; ++c) {
      uint64_t others = 0;
      for (int o = 0; o < classes; ++o) {
        if (o != c) others = std::max(others, of_class(o));
      }
      shown[t * static_cast<size_t>(classes) + static_cast<size_t>(c)] =
          of_class(c) >= least && others >= least;
    }
  }
  return shown;
}

}  // namespace hilum
