// SPDX-License-Identifier: Apache-2.0
#include "common/config/cohort_rules.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/config/census.h"
#include "common/config/starting_weights.h"
#include "common/config/study.h"

namespace hilum {
namespace {

using Arms = google::protobuf::RepeatedPtrField<v1::ArmCensus>;

uint64_t Sum(const std::vector<uint64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

// Returns "class a in fold 2 of arm whole".
std::string CellName(const v1::Study& study, int arm, int cell) {
  const int classes = study.classes_size();
  return absl::StrCat("class ", study.classes(cell % classes), " in fold ",
                      cell / classes + 1, " of arm ", ArmName(study.arms(arm)));
}

absl::Status TooFew(const v1::Study& study, absl::string_view whose, int arm,
                    int cell, uint64_t patients, uint32_t minimum) {
  return absl::FailedPreconditionError(absl::StrCat(
      whose, " too few patients in a cell: ", patients, " of ",
      CellName(study, arm, cell), ", fewer than ", minimum,
      ", could be told apart in the sums; take fewer folds, merge classes or "
      "add cases"));
}

absl::Status TooFewIfSitesLeave(const v1::Study& study, int arm, int cell,
                                uint64_t missing, uint32_t minimum) {
  return absl::FailedPreconditionError(absl::StrCat(
      "a sum may be without ", missing, missing == 1 ? " site" : " sites",
      " of the cohort, and could then be over fewer than ", minimum,
      " patients of ", CellName(study, arm, cell),
      ", who could be told apart; set aggregation.minimum_sites to more sites "
      "(all of them: nobody may be missing), take fewer folds, merge classes "
      "or add cases"));
}

// Returns the fewest patients that the cell keeps without any d sites.
uint64_t LeftWithout(const v1::CensusTotals& totals, int arm, int cell,
                     uint64_t missing) {
  const v1::ArmCensus& all = totals.arms(arm);
  const uint64_t patients = all.fold_class_patients(cell);
  if (missing == 0) return patients;
  const uint64_t capped =
      totals.capped_patients(arm * all.fold_class_patients_size() + cell);
  return std::min(patients, capped - std::min(capped, kCellCap * missing));
}

// Returns the fewest patients that a cell keeps in the evaluation without any d
// sites. They are counted among the training patients, as LeftWithout's are.
uint64_t ScoredWithout(const v1::Study& study, const v1::CensusTotals& totals,
                       int arm, int cell, uint64_t missing) {
  if (!ExcludesSeen(study)) return LeftWithout(totals, arm, cell, missing);
  const auto& unseen = totals.arms(arm).fold_class_unseen_patients();
  if (missing == 0) return unseen[cell];
  const uint64_t capped =
      totals.capped_unseen_patients(arm * unseen.size() + cell);
  return std::min(unseen[cell], capped - std::min(capped, kCellCap * missing));
}

// Returns [tracks][classes].
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

// Returns the arm's first fold whose validation losses would be of too few
// patients; -1: there is none.
int ThinValidationFold(const v1::Study& study, const v1::CensusTotals& totals,
                       int arm) {
  const uint64_t least = study.sites_size() == 1 ? 1 : kValidationPatients;
  const uint64_t missing = kCellCap * MayBeMissing(study, totals);
  const auto& folds = totals.arms(arm).fold_validation_patients();
  for (int fold = 0; fold < folds.size(); ++fold) {
    const uint64_t capped =
        totals.capped_validation_patients(arm * folds.size() + fold);
    const uint64_t left =
        missing == 0 ? folds[fold] : capped - std::min(capped, missing);
    if (folds[fold] > 0 && left < least) return fold;
  }
  return -1;
}

int ArmIndexOf(const v1::Study& study, const Track& track) {
  const auto arm = std::find(study.arms().begin(), study.arms().end(),
                             static_cast<int>(track.arm));
  return static_cast<int>(arm - study.arms().begin());
}

}  // namespace

PolicyLimits LimitsOf(const v1::Policy& policy) {
  PolicyLimits limits;
  limits.minimum_own_cell_patients = policy.minimum_own_cell_patients();
  if (policy.has_minimum_cell_patients()) {
    limits.minimum_cell_patients = policy.minimum_cell_patients();
  }
  if (policy.has_minimum_steps()) limits.minimum_steps = policy.minimum_steps();
  if (policy.has_minimum_batch()) limits.minimum_batch = policy.minimum_batch();
  if (policy.has_largest_share()) limits.largest_share = policy.largest_share();
  return limits;
}

int SumThreshold(int sites) {
  return std::max(2 * sites / 3 + 1, static_cast<int>(kTrackSites));
}

int LeastSites(const v1::Study& study) {
  const int asked = static_cast<int>(study.aggregation().minimum_sites());
  return IsSecure(study) ? std::max(asked, SumThreshold(study.sites_size()))
                         : asked;
}

uint64_t MayBeMissing(const v1::Study& study, const v1::CensusTotals& totals) {
  if (!IsSecure(study)) return 0;
  return static_cast<uint64_t>(
      std::max(0, totals.sites_size() - LeastSites(study)));
}

absl::Status CheckCells(const v1::Study& study, const v1::CensusTotals& totals,
                        uint32_t minimum_patients) {
  const uint64_t missing = MayBeMissing(study, totals);
  for (int a = 0; a < totals.arms_size() && minimum_patients > 1; ++a) {
    const auto& cells = totals.arms(a).fold_class_patients();
    for (int cell = 0; cell < cells.size(); ++cell) {
      const uint64_t patients = cells[cell];
      if (patients == 0) continue;
      if (patients < minimum_patients) {
        return TooFew(study, "the cohort has", a, cell, patients,
                      minimum_patients);
      }
      if (LeftWithout(totals, a, cell, missing) < minimum_patients) {
        return TooFewIfSitesLeave(study, a, cell, missing, minimum_patients);
      }
    }
  }
  return absl::OkStatus();
}

absl::Status CheckOwnCells(const v1::Study& study, const Arms& own,
                           uint32_t minimum_patients) {
  for (int a = 0; a < own.size(); ++a) {
    for (int cell = 0; cell < own[a].fold_class_patients_size(); ++cell) {
      const uint64_t patients = own[a].fold_class_patients(cell);
      if (patients == 0 || patients >= minimum_patients) continue;
      return TooFew(study, "this site has", a, cell, patients,
                    minimum_patients);
    }
  }
  return absl::OkStatus();
}

std::vector<bool> ActiveTracks(const v1::Study& study,
                               const v1::CensusTotals& totals) {
  std::vector<bool> active(StudyTracks(study).size(), true);
  if (!IsSecure(study)) return active;
  const uint64_t least = kTrackSites + MayBeMissing(study, totals);
  for (size_t t = 0; t < active.size(); ++t) {
    active[t] = totals.track_sites(static_cast<int>(t)) >= least;
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
    if (tracks[t].IsFinal() || !ExcludesSeen(study)) continue;
    const int classes = study.classes_size();
    const auto& seen =
        totals.arms(ArmIndexOf(study, tracks[t])).fold_class_seen();
    for (int c = 0; c < classes; ++c) {
      examples[t] -= seen[tracks[t].fold * classes + c];
    }
  }
  return examples;
}

std::vector<bool> ValidatedTracks(const v1::Study& study,
                                  const v1::CensusTotals& totals) {
  const std::vector<Track> tracks = StudyTracks(study);
  std::vector<bool> validated(tracks.size());
  if (!IsValidated(study)) return validated;
  const std::vector<bool> active = ActiveTracks(study, totals);
  for (size_t t = 0; t < tracks.size(); ++t) {
    validated[t] =
        active[t] &&
        ThinValidationFold(study, totals, ArmIndexOf(study, tracks[t])) < 0;
  }
  return validated;
}

std::vector<std::string> DescribeUnvalidatedArms(
    const v1::Study& study, const v1::CensusTotals& totals) {
  std::vector<std::string> said;
  for (int a = 0; a < study.arms_size() && IsValidated(study); ++a) {
    const int fold = ThinValidationFold(study, totals, a);
    if (fold < 0) continue;
    said.push_back(absl::StrCat(
        "no track of arm ", ArmName(study.arms(a)),
        " is validated: the cohort has too few validation patients in fold ",
        fold + 1, " (", totals.arms(a).fold_validation_patients(fold), "; ",
        kValidationPatients,
        " must be left whichever sites are missing), and their loss could be "
        "told apart. These tracks train for all ",
        study.training().rounds(),
        " rounds, and their last models are evaluated; take a larger "
        "training.validation.share, fewer folds or more cases"));
  }
  return said;
}

std::vector<bool> HistogramsShown(const v1::Study& study,
                                  const v1::CensusTotals& totals,
                                  uint32_t minimum_patients) {
  const std::vector<bool> active = ActiveTracks(study, totals);
  const std::vector<Track> tracks = StudyTracks(study);
  const int classes = study.classes_size();
  // In a study of one site nothing of that site is hidden (kVisibleUpdates,
  // risks.h).
  const uint32_t least = study.sites_size() == 1 ? 1 : minimum_patients;
  std::vector<bool> shown(tracks.size() * static_cast<size_t>(classes));
  if (IsSegmentation(study)) return shown;
  const uint64_t missing = MayBeMissing(study, totals);
  for (size_t t = 0; t < tracks.size(); ++t) {
    if (!active[t] || tracks[t].IsFinal()) continue;
    const int arm = ArmIndexOf(study, tracks[t]);
    const auto of_class = [&](int c) {
      return ScoredWithout(study, totals, arm, tracks[t].fold * classes + c,
                           missing);
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
