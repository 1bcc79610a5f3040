// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/aggregation/ring.h"
#include "common/aggregation/statistics_vector.h"
#include "common/aggregation/statistics_words.h"
#include "common/base/status_macros.h"
#include "common/config/census.h"
#include "common/config/starting_weights.h"
#include "common/config/study.h"
#include "common/metrics/fingerprint.h"

namespace hilum {
namespace {

static_assert(kMaxRows * kMaxSites < uint64_t{1} << 32);

// A sum of shares, in units of 1/4096 of a case, is too large for one word. It
// travels as two words, low and high part.
constexpr int kLowBits = 16;
constexpr uint64_t kLowMask = (uint64_t{1} << kLowBits) - 1;
static_assert((kMaxArmCases * kFingerprintShare >> kLowBits) * kMaxSites <
              uint64_t{1} << 32);
static_assert(kLowMask * kMaxSites < uint64_t{1} << 32);

void AppendLarge(uint64_t number, std::vector<uint32_t>& words) {
  words.push_back(static_cast<uint32_t>(number & kLowMask));
  words.push_back(static_cast<uint32_t>(number >> kLowBits));
}

// Joins the two words again, and checks that so many sites can have such a sum.
class LargeReader {
 public:
  LargeReader(WordReader& words, size_t sites)
      : words_(words), most_low_(kLowMask * sites) {}
  uint64_t Next() {
    const uint64_t low = words_.Next();
    const uint64_t high = words_.Next();
    good_ = good_ && low <= most_low_;
    return low + (high << kLowBits);
  }
  bool good() const { return good_; }

 private:
  WordReader& words_;
  const uint64_t most_low_;
  bool good_ = true;
};

void AppendFingerprint(const v1::Fingerprint& print,
                       std::vector<uint32_t>& words) {
  for (uint64_t gray : print.grays()) AppendLarge(gray, words);
  AppendCounts(print.sides(), words);
  words.push_back(static_cast<uint32_t>(print.masked()));
  AppendLarge(print.lung_share(), words);
}

// Words of one fingerprint in a vector.
constexpr int kFingerprintWords =
    2 * kFingerprintGrays + kFingerprintSides + 1 + 2;

absl::Status ReadFingerprint(WordReader& words, size_t sites,
                             v1::Fingerprint& print) {
  LargeReader large(words, sites);
  for (uint64_t& gray : *print.mutable_grays()) gray = large.Next();
  ReadCounts(words, *print.mutable_sides());
  print.set_masked(words.Next());
  print.set_lung_share(large.Next());
  return large.good() ? absl::OkStatus()
                      : Absurd("low parts of grays or lungs that are too high");
}

int CensusCells(const v1::Study& study) {
  return static_cast<int>(study.cross_validation().folds()) *
         study.classes_size();
}

// Cells of a census for cases that the starting weights learned from.
int SeenCells(const v1::Study& study) {
  return ListsImages(study) ? CensusCells(study) : 0;
}

// Returns the number of folds whose validation patients are counted.
int ValidationFolds(const v1::Study& study) {
  return IsValidated(study) ? static_cast<int>(study.cross_validation().folds())
                            : 0;
}

int NumTracks(const v1::Study& study) {
  return static_cast<int>(StudyTracks(study).size());
}

v1::CensusTotals NoCensus(const v1::Study& study) {
  v1::CensusTotals totals;
  for (int a = 0; a < study.arms_size(); ++a) {
    v1::ArmCensus& arm = *totals.add_arms();
    arm.mutable_fold_class_counts()->Resize(CensusCells(study), 0);
    arm.mutable_fold_class_patients()->Resize(CensusCells(study), 0);
    arm.mutable_fold_validation_patients()->Resize(ValidationFolds(study), 0);
    *arm.mutable_fingerprint() = EmptyFingerprint();
    arm.mutable_fold_class_seen()->Resize(SeenCells(study), 0);
    arm.mutable_fold_class_unseen_patients()->Resize(SeenCells(study), 0);
  }
  totals.mutable_rejected_masks()->Resize(study.classes_size(), 0);
  const int tracks = NumTracks(study);
  totals.mutable_track_sites()->Resize(tracks, 0);
  totals.mutable_track_class_sites()->Resize(tracks * study.classes_size(), 0);
  totals.mutable_capped_patients()->Resize(
      study.arms_size() * CensusCells(study), 0);
  totals.mutable_capped_unseen_patients()->Resize(
      study.arms_size() * SeenCells(study), 0);
  totals.mutable_capped_validation_patients()->Resize(
      study.arms_size() * ValidationFolds(study), 0);
  return totals;
}

// One site's part of track_sites and track_class_sites: 1 where the site has a
// case for training.
struct HasCases {
  google::protobuf::RepeatedField<uint64_t> tracks;   // [tracks]
  google::protobuf::RepeatedField<uint64_t> classes;  // [tracks * classes]

  template <typename Arms>
  HasCases(const v1::Study& study, const Arms& arms) {
    for (const Track& track : StudyTracks(study)) {
      const std::vector<uint64_t> cases = TrainingCases(study, track, arms);
      tracks.Add(SumOf(cases) > 0);
      for (uint64_t count : cases) classes.Add(count > 0);
    }
  }
};

// Returns one site's part of capped_patients, [arms * folds * classes].
template <typename Arms>
google::protobuf::RepeatedField<uint64_t> CappedPatients(const Arms& arms) {
  google::protobuf::RepeatedField<uint64_t> capped;
  for (const v1::ArmCensus& arm : arms) {
    for (uint64_t patients : arm.fold_class_patients()) {
      capped.Add(std::min(patients, kCellCap));
    }
  }
  return capped;
}

// Returns one site's part of capped_unseen_patients.
template <typename Arms>
google::protobuf::RepeatedField<uint64_t> CappedUnseen(const Arms& arms) {
  google::protobuf::RepeatedField<uint64_t> capped;
  for (const v1::ArmCensus& arm : arms) {
    for (uint64_t patients : arm.fold_class_unseen_patients()) {
      capped.Add(std::min(patients, kCellCap));
    }
  }
  return capped;
}

// Returns one site's part of capped_validation_patients, [arms * folds].
template <typename Arms>
google::protobuf::RepeatedField<uint64_t> CappedValidation(const Arms& arms) {
  google::protobuf::RepeatedField<uint64_t> capped;
  for (const v1::ArmCensus& arm : arms) {
    for (uint64_t patients : arm.fold_validation_patients()) {
      capped.Add(std::min(patients, kCellCap));
    }
  }
  return capped;
}

// Returns whether `sites` sites with so many patients of a cell can have
// `capped`.
bool CanCap(uint64_t capped, uint64_t patients, uint64_t sites) {
  return capped >= std::min(patients, kCellCap) &&
         capped <= std::min(patients, kCellCap * sites);
}

// Checks that so many sites can have the capped patients of each cell.
absl::Status CheckCapped(const v1::CensusTotals& totals) {
  const auto sites = static_cast<uint64_t>(totals.sites_size());
  bool can = true;
  int i = 0, j = 0, fold = 0;
  for (const v1::ArmCensus& arm : totals.arms()) {
    for (uint64_t patients : arm.fold_class_patients()) {
      can = can && CanCap(totals.capped_patients(i++), patients, sites);
    }
    for (uint64_t patients : arm.fold_class_unseen_patients()) {
      can = can && CanCap(totals.capped_unseen_patients(j++), patients, sites);
    }
    for (uint64_t patients : arm.fold_validation_patients()) {
      can = can &&
            CanCap(totals.capped_validation_patients(fold++), patients, sites);
    }
  }
  if (can) return absl::OkStatus();
  return Absurd("capped patients that a cell's patients cannot give");
}

// Returns the largest of the counts that kMaxRows bounds.
template <typename Census>
uint64_t MostRows(const Census& census) {
  uint64_t rows = std::max<uint64_t>(
      {census.rows(), census.rejected_rows(), census.lungs_network_cases(),
       census.orientation_network_cases(), census.cases_not_compared()});
  for (const v1::ArmCensus& arm : census.arms()) {
    rows = std::max<uint64_t>(rows, arm.without_mask());
  }
  for (uint64_t masks : census.rejected_masks()) rows = std::max(rows, masks);
  return rows;
}

// Returns whether `with_cases` of the cohort's sites can have a case, where all
// sites together have `cases`.
bool CanHave(uint64_t with_cases, uint64_t cases, uint64_t sites) {
  return with_cases <= std::min(cases, sites) &&
         (with_cases > 0) == (cases > 0);
}

absl::Status CheckSitesWithCases(const v1::Study& study,
                                 const v1::CensusTotals& totals) {
  const auto sites = static_cast<uint64_t>(totals.sites_size());
  const std::vector<Track> tracks = StudyTracks(study);
  const int classes = study.classes_size();
  for (int t = 0; t < totals.track_sites_size(); ++t) {
    const Track& track = tracks[static_cast<size_t>(t)];
    const std::vector<uint64_t> cases =
        TrainingCases(study, track, totals.arms());
    bool good = CanHave(totals.track_sites(t), SumOf(cases), sites);
    for (int c = 0; c < classes; ++c) {
      good =
          good && CanHave(totals.track_class_sites(t * classes + c),
                          cases[static_cast<size_t>(c)], totals.track_sites(t));
    }
    if (good) continue;
    return Absurd(absl::StrCat("sites with cases for track ",
                               ArmTrackName(track),
                               " that its cases or the cohort cannot have"));
  }
  return absl::OkStatus();
}

// Checks that `sites` sites, each within its own bounds, can have these totals.
absl::Status CheckTotals(const v1::Study& study,
                         const v1::CensusTotals& totals) {
  const auto sites = static_cast<uint64_t>(totals.sites_size());
  for (const v1::ArmCensus& arm : totals.arms()) {
    if (SumOf(arm.fold_class_counts()) > sites * kMaxArmCases) {
      return Absurd(absl::StrCat("over ", kMaxArmCases, " cases a site"));
    }
    if (SumOf(arm.fold_validation_patients()) > sites * kMaxArmCases) {
      return Absurd(
          absl::StrCat("over ", kMaxArmCases, " validation patients a site"));
    }
    absl::Status good = CheckPatients(arm);
    if (good.ok()) good = CheckFingerprint(arm);
    if (good.ok()) good = CheckSeen(study, arm);
    if (!good.ok()) return Absurd(good.message());
  }
  if (MostRows(totals) <= sites * kMaxRows) return absl::OkStatus();
  return Absurd(absl::StrCat("over ", kMaxRows, " rows a site"));
}

}  // namespace

int64_t CensusVectorSize(const v1::Study& study) {
  return int64_t{study.arms_size()} *
             (2 * CensusCells(study) + 3 * SeenCells(study) + 1 +
              kFingerprintWords) +
         5 + study.classes_size() +
         int64_t{NumTracks(study)} * (1 + study.classes_size()) +
         int64_t{study.arms_size()} *
             (CensusCells(study) + 2 * ValidationFolds(study));
}

absl::StatusOr<std::vector<uint32_t>> EncodeCensus(
    const v1::Study& study, const v1::SubmitCensusRequest& census) {
  HILUM_RETURN_IF_ERROR(CheckCensusShape(study, census));
  if (MostRows(census) > kMaxRows) {
    return absl::InvalidArgumentError(
        absl::StrCat("census: over ", kMaxRows, " rows"));
  }
  std::vector<uint32_t> words;
  for (const v1::ArmCensus& arm : census.arms()) {
    AppendCounts(arm.fold_class_counts(), words);
    AppendCounts(arm.fold_class_patients(), words);
    AppendCounts(arm.fold_validation_patients(), words);
    words.push_back(static_cast<uint32_t>(arm.without_mask()));
    AppendFingerprint(arm.fingerprint(), words);
    AppendCounts(arm.fold_class_seen(), words);
    AppendCounts(arm.fold_class_unseen_patients(), words);
  }
  words.push_back(static_cast<uint32_t>(census.rows()));
  words.push_back(static_cast<uint32_t>(census.rejected_rows()));
  words.push_back(static_cast<uint32_t>(census.lungs_network_cases()));
  words.push_back(static_cast<uint32_t>(census.orientation_network_cases()));
  words.push_back(static_cast<uint32_t>(census.cases_not_compared()));
  AppendCounts(census.rejected_masks(), words);
  const HasCases own(study, census.arms());
  AppendCounts(own.tracks, words);
  AppendCounts(own.classes, words);
  AppendCounts(CappedPatients(census.arms()), words);
  AppendCounts(CappedUnseen(census.arms()), words);
  AppendCounts(CappedValidation(census.arms()), words);
  return words;
}

absl::StatusOr<v1::CensusTotals> DecodeCensus(const v1::Study& study,
                                              const std::set<SiteId>& sites,
                                              absl::Span<const uint32_t> sums) {
  HILUM_RETURN_IF_ERROR(
      LengthIs("the sum of censuses", sums.size(), CensusVectorSize(study)));
  WordReader words(sums);
  v1::CensusTotals totals = NoCensus(study);
  for (const SiteId& site : sites) totals.add_sites(site.name());
  for (v1::ArmCensus& arm : *totals.mutable_arms()) {
    ReadCounts(words, *arm.mutable_fold_class_counts());
    ReadCounts(words, *arm.mutable_fold_class_patients());
    ReadCounts(words, *arm.mutable_fold_validation_patients());
    arm.set_without_mask(words.Next());
    HILUM_RETURN_IF_ERROR(
        ReadFingerprint(words, sites.size(), *arm.mutable_fingerprint()));
    ReadCounts(words, *arm.mutable_fold_class_seen());
    ReadCounts(words, *arm.mutable_fold_class_unseen_patients());
  }
  totals.set_rows(words.Next());
  totals.set_rejected_rows(words.Next());
  totals.set_lungs_network_cases(words.Next());
  totals.set_orientation_network_cases(words.Next());
  totals.set_cases_not_compared(words.Next());
  ReadCounts(words, *totals.mutable_rejected_masks());
  ReadCounts(words, *totals.mutable_track_sites());
  ReadCounts(words, *totals.mutable_track_class_sites());
  ReadCounts(words, *totals.mutable_capped_patients());
  ReadCounts(words, *totals.mutable_capped_unseen_patients());
  ReadCounts(words, *totals.mutable_capped_validation_patients());
  HILUM_RETURN_IF_ERROR(CheckTotals(study, totals));
  HILUM_RETURN_IF_ERROR(CheckSitesWithCases(study, totals));
  HILUM_RETURN_IF_ERROR(CheckCapped(totals));
  return totals;
}

v1::CensusTotals SumCensus(
    const v1::Study& study,
    const std::map<SiteId, v1::SubmitCensusRequest>& census) {
  v1::CensusTotals totals = NoCensus(study);
  for (const auto& [site, own] : census) {
    if (own.arms().empty()) continue;
    totals.add_sites(site.name());
    for (int a = 0; a < totals.arms_size(); ++a) {
      v1::ArmCensus& sum = *totals.mutable_arms(a);
      AddCounts(own.arms(a).fold_class_counts(),
                *sum.mutable_fold_class_counts());
      AddCounts(own.arms(a).fold_class_patients(),
                *sum.mutable_fold_class_patients());
      AddCounts(own.arms(a).fold_class_seen(), *sum.mutable_fold_class_seen());
      AddCounts(own.arms(a).fold_class_unseen_patients(),
                *sum.mutable_fold_class_unseen_patients());
      AddCounts(own.arms(a).fold_validation_patients(),
                *sum.mutable_fold_validation_patients());
      sum.set_without_mask(sum.without_mask() + own.arms(a).without_mask());
      AddFingerprint(own.arms(a).fingerprint(), *sum.mutable_fingerprint());
    }
    totals.set_rows(totals.rows() + own.rows());
    totals.set_rejected_rows(totals.rejected_rows() + own.rejected_rows());
    AddCounts(own.rejected_masks(), *totals.mutable_rejected_masks());
    const HasCases has(study, own.arms());
    AddCounts(has.tracks, *totals.mutable_track_sites());
    AddCounts(has.classes, *totals.mutable_track_class_sites());
    AddCounts(CappedPatients(own.arms()), *totals.mutable_capped_patients());
    AddCounts(CappedUnseen(own.arms()),
              *totals.mutable_capped_unseen_patients());
    totals.set_lungs_network_cases(totals.lungs_network_cases() +
                                   own.lungs_network_cases());
    totals.set_orientation_network_cases(totals.orientation_network_cases() +
                                         own.orientation_network_cases());
    totals.set_cases_not_compared(totals.cases_not_compared() +
                                  own.cases_not_compared());
    AddCounts(CappedValidation(own.arms()),
              *totals.mutable_capped_validation_patients());
  }
  return totals;
}

}  // namespace hilum
