// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/aggregation/ring.h"
#include "common/aggregation/statistics_vector.h"
#include "common/aggregation/statistics_words.h"
#include "common/base/status_macros.h"
#include "common/config/census.h"
#include "common/config/study.h"
#include "common/metrics/fingerprint.h"

namespace hilum {
namespace {

static_assert(kMaxRows * kMaxSites < uint64_t{1} << 32);

// A sum of shares of a case, in units of which 4096 are all, is too large for
// a word: it travels as two, low and high part.
constexpr int kLowBits = 16;
constexpr uint64_t kLowMask = (uint64_t{1} << kLowBits) - 1;
static_assert((kMaxArmCases * kFingerprintShare >> kLowBits) * kMaxSites <
              uint64_t{1} << 32);
static_assert(kLowMask * kMaxSites < uint64_t{1} << 32);

void AppendLarge(uint64_t number, std::vector<uint32_t>& words) {
  words.push_back(static_cast<uint32_t>(number & kLowMask));
  words.push_back(static_cast<uint32_t>(number >> kLowBits));
}

// Puts them together again, and sees whether so many sites can have had them.
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

// Of a vector.
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

v1::CensusTotals NoCensus(const v1::Study& study) {
  v1::CensusTotals totals;
  for (int a = 0; a < study.arms_size(); ++a) {
    v1::ArmCensus& arm = *totals.add_arms();
    arm.mutable_fold_class_counts()->Resize(CensusCells(study), 0);
    *arm.mutable_fingerprint() = EmptyFingerprint();
  }
  totals.mutable_rejected_masks()->Resize(study.classes_size(), 0);
  return totals;
}

// The largest of what kMaxRows bounds.
template <typename Census>
uint64_t MostRows(const Census& census) {
  uint64_t rows = std::max<uint64_t>(census.rows(), census.rejected_rows());
  for (const v1::ArmCensus& arm : census.arms()) {
    rows = std::max<uint64_t>(rows, arm.without_mask());
  }
  for (uint64_t masks : census.rejected_masks()) rows = std::max(rows, masks);
  return rows;
}

// No more than `sites` sites, each within its own bounds, can have.
absl::Status CheckTotals(const v1::CensusTotals& totals) {
  const auto sites = static_cast<uint64_t>(totals.sites_size());
  for (const v1::ArmCensus& arm : totals.arms()) {
    if (SumOf(arm.fold_class_counts()) > sites * kMaxArmCases) {
      return Absurd(absl::StrCat("over ", kMaxArmCases, " cases a site"));
    }
    const absl::Status print = CheckFingerprint(arm);
    if (!print.ok()) return Absurd(print.message());
  }
  if (MostRows(totals) <= sites * kMaxRows) return absl::OkStatus();
  return Absurd(absl::StrCat("over ", kMaxRows, " rows a site"));
}

}  // namespace

int64_t CensusVectorSize(const v1::Study& study) {
  return int64_t{study.arms_size()} *
             (CensusCells(study) + 1 + kFingerprintWords) +
         2 + study.classes_size();
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
    words.push_back(static_cast<uint32_t>(arm.without_mask()));
    AppendFingerprint(arm.fingerprint(), words);
  }
  words.push_back(static_cast<uint32_t>(census.rows()));
  words.push_back(static_cast<uint32_t>(census.rejected_rows()));
  AppendCounts(census.rejected_masks(), words);
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
    arm.set_without_mask(words.Next());
    HILUM_RETURN_IF_ERROR(
        ReadFingerprint(words, sites.size(), *arm.mutable_fingerprint()));
  }
  totals.set_rows(words.Next());
  totals.set_rejected_rows(words.Next());
  ReadCounts(words, *totals.mutable_rejected_masks());
  HILUM_RETURN_IF_ERROR(CheckTotals(totals));
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
      sum.set_without_mask(sum.without_mask() + own.arms(a).without_mask());
      AddFingerprint(own.arms(a).fingerprint(), *sum.mutable_fingerprint());
    }
    totals.set_rows(totals.rows() + own.rows());
    totals.set_rejected_rows(totals.rejected_rows() + own.rejected_rows());
    AddCounts(own.rejected_masks(), *totals.mutable_rejected_masks());
  }
  return totals;
}

std::vector<uint64_t> TrainingExamples(const v1::Study& study,
                                       const v1::CensusTotals& census) {
  std::vector<uint64_t> examples;
  for (const Track& track : StudyTracks(study)) {
    examples.push_back(SumOf(TrainingCases(study, track, census.arms())));
  }
  return examples;
}

std::vector<uint64_t> HeldOutExamples(const v1::Study& study,
                                      const v1::CensusTotals& census) {
  std::vector<uint64_t> examples;
  for (const Track& track : StudyTracks(study)) {
    const Track all{track.arm, Track::kFinal};
    examples.push_back(SumOf(TrainingCases(study, all, census.arms())) -
                       SumOf(TrainingCases(study, track, census.arms())));
  }
  return examples;
}

}  // namespace hilum
