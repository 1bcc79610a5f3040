// SPDX-License-Identifier: Apache-2.0
#include "common/aggregation/statistics_vector.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/aggregation/ring.h"
#include "common/base/status_macros.h"
#include "common/config/census.h"
#include "common/config/evaluation.h"
#include "common/config/study.h"

namespace hilum {
namespace {

// Of one site: rows, rejected_rows, without_mask.
constexpr uint64_t kMaxRows = 2 * kMaxArmCases;
static_assert(kMaxRows * kMaxSites < uint64_t{1} << 32);

// Takes a vector apart, from the front.
class WordReader {
 public:
  explicit WordReader(absl::Span<const uint32_t> words) : words_(words) {}
  uint32_t Next() {
    const uint32_t word = words_.front();
    words_.remove_prefix(1);
    return word;
  }

 private:
  absl::Span<const uint32_t> words_;
};

template <typename Counts>
uint64_t Sum(const Counts& counts) {
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

// sums[i] += counts[i]; equal lengths.
template <typename Count>
void AddCounts(const google::protobuf::RepeatedField<Count>& counts,
               google::protobuf::RepeatedField<Count>& sums) {
  for (int i = 0; i < sums.size(); ++i) sums[i] += counts[i];
}

template <typename Counts>
void AppendCounts(const Counts& counts, std::vector<uint32_t>& words) {
  for (auto count : counts) words.push_back(static_cast<uint32_t>(count));
}

template <typename Counts>
void ReadCounts(WordReader& words, Counts& counts) {
  for (auto& count : counts) count = words.Next();
}

absl::Status LengthIs(absl::string_view what, size_t size, int64_t wanted) {
  if (static_cast<int64_t>(size) == wanted) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, " has ", size, " entries, the study's has ", wanted));
}

absl::Status CheckHeldOut(const v1::Study& study,
                          const std::vector<uint64_t>& held_out) {
  return LengthIs("the cohort's census", held_out.size(),
                  static_cast<int64_t>(StudyTracks(study).size()));
}

absl::Status Absurd(absl::string_view what) {
  return absl::AbortedError(
      absl::StrCat("the sites' sum has ", what,
                   "; a site's vector is damaged or not of this sum"));
}

int CensusCells(const v1::Study& study) {
  return static_cast<int>(study.cross_validation().folds()) *
         study.classes_size();
}

v1::CensusTotals NoCensus(const v1::Study& study) {
  v1::CensusTotals totals;
  for (int a = 0; a < study.arms_size(); ++a) {
    totals.add_arms()->mutable_fold_class_counts()->Resize(CensusCells(study),
                                                           0);
  }
  return totals;
}

v1::TrackEvaluation NoCases(const v1::Study& study, uint32_t track) {
  const int classes = study.classes_size();
  const int bins = static_cast<int>(study.evaluation().score_bins());
  v1::TrackEvaluation empty;
  empty.set_track(track);
  empty.mutable_confusion()->Resize(classes * classes, 0);
  for (int c = 0; c < classes; ++c) {
    v1::ScoreHistogram* scores = empty.add_classes();
    scores->mutable_positives()->Resize(bins, 0);
    scores->mutable_negatives()->Resize(bins, 0);
  }
  return empty;
}

v1::EvaluationTotals NoEvaluation(const v1::Study& study) {
  const std::vector<Track> tracks = StudyTracks(study);
  v1::EvaluationTotals totals;
  for (size_t t = 0; t < tracks.size(); ++t) {
    if (tracks[t].IsFinal()) continue;
    *totals.add_tracks() = NoCases(study, static_cast<uint32_t>(t));
  }
  return totals;
}

// No more than `sites` sites, each within its own bounds, can have.
absl::Status CheckTotals(const v1::CensusTotals& totals) {
  const auto sites = static_cast<uint64_t>(totals.sites_size());
  uint64_t rows = std::max(totals.rows(), totals.rejected_rows());
  for (const v1::ArmCensus& arm : totals.arms()) {
    if (Sum(arm.fold_class_counts()) > sites * kMaxArmCases) {
      return Absurd(absl::StrCat("over ", kMaxArmCases, " cases a site"));
    }
    rows = std::max(rows, arm.without_mask());
  }
  if (rows <= sites * kMaxRows) return absl::OkStatus();
  return Absurd(absl::StrCat("over ", kMaxRows, " rows a site"));
}

absl::Status CheckRows(const v1::SubmitCensusRequest& census) {
  uint64_t rows = std::max(census.rows(), census.rejected_rows());
  for (const v1::ArmCensus& arm : census.arms()) {
    rows = std::max(rows, arm.without_mask());
  }
  if (rows <= kMaxRows) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("census: over ", kMaxRows, " rows"));
}

void AppendTrack(const v1::Study& study, const v1::TrackEvaluation& track,
                 uint64_t held_out, std::vector<uint32_t>& words) {
  AppendCounts(track.confusion(), words);
  for (const v1::ScoreHistogram& scores : track.classes()) {
    AppendCounts(scores.positives(), words);
    AppendCounts(scores.negatives(), words);
  }
  words.push_back(
      EncodeLoss(track.loss_sum(), Sum(track.confusion()), held_out));
  if (!study.evaluation().localization()) return;
  words.push_back(static_cast<uint32_t>(track.mapped()));
  for (double sum : {track.map_in_lungs_sum(), track.lung_share_sum()}) {
    words.push_back(EncodeShares(sum, track.mapped(), held_out));
  }
}

void ReadTrack(const v1::Study& study, WordReader& words, uint64_t held_out,
               v1::TrackEvaluation& track) {
  ReadCounts(words, *track.mutable_confusion());
  for (v1::ScoreHistogram& scores : *track.mutable_classes()) {
    ReadCounts(words, *scores.mutable_positives());
    ReadCounts(words, *scores.mutable_negatives());
  }
  // The mean over one is the sum.
  track.set_loss_sum(DecodeLoss(words.Next(), 1, held_out));
  if (!study.evaluation().localization()) return;
  track.set_mapped(words.Next());
  track.set_map_in_lungs_sum(DecodeShares(words.Next(), held_out));
  track.set_lung_share_sum(DecodeShares(words.Next(), held_out));
}

// A sum of shares may have passed the number of maps by what rounding adds, or
// twice that; it is then put right.
absl::Status CheckMaps(v1::TrackEvaluation& track, uint64_t held_out,
                       size_t sites) {
  const double maps = static_cast<double>(track.mapped());
  const double most = maps + static_cast<double>(sites) * 0x1p-30 *
                                 static_cast<double>(held_out);
  if (track.mapped() > Sum(track.confusion()) ||
      track.map_in_lungs_sum() > most || track.lung_share_sum() > most) {
    return Absurd(absl::StrCat(track.mapped(), " activation maps of track ",
                               track.track(), ", ", track.map_in_lungs_sum(),
                               " of them in lungs that take ",
                               track.lung_share_sum(), " of them"));
  }
  track.set_map_in_lungs_sum(std::min(track.map_in_lungs_sum(), maps));
  track.set_lung_share_sum(std::min(track.lung_share_sum(), maps));
  return absl::OkStatus();
}

absl::Status CheckTotals(const v1::TrackEvaluation& track, uint64_t held_out,
                         size_t sites) {
  const uint64_t cases = Sum(track.confusion());
  if (cases > held_out) {
    return Absurd(absl::StrCat(cases, " cases of track ", track.track(),
                               ", the whole cohort holds out ", held_out));
  }
  if (!ScoresMatchConfusion(track)) {
    return Absurd(absl::StrCat("histograms of track ", track.track(),
                               " that disagree with its confusion counts"));
  }
  // Twice what rounding can have added.
  const double rounding = static_cast<double>(sites) * 0x1p-24;
  const double most = kMaxLoss * static_cast<double>(cases) +
                      rounding * static_cast<double>(held_out);
  if (track.loss_sum() >= 0 && track.loss_sum() <= most) {
    return absl::OkStatus();
  }
  return Absurd(absl::StrCat("a loss of ", track.loss_sum(), " of track ",
                             track.track(), " with ", cases, " cases"));
}

void AddTrack(const v1::TrackEvaluation& track, v1::TrackEvaluation& sum) {
  AddCounts(track.confusion(), *sum.mutable_confusion());
  for (int c = 0; c < sum.classes_size(); ++c) {
    AddCounts(track.classes(c).positives(),
              *sum.mutable_classes(c)->mutable_positives());
    AddCounts(track.classes(c).negatives(),
              *sum.mutable_classes(c)->mutable_negatives());
  }
  sum.set_loss_sum(sum.loss_sum() + track.loss_sum());
  sum.set_mapped(sum.mapped() + track.mapped());
  sum.set_map_in_lungs_sum(sum.map_in_lungs_sum() + track.map_in_lungs_sum());
  sum.set_lung_share_sum(sum.lung_share_sum() + track.lung_share_sum());
}

}  // namespace

int64_t CensusVectorSize(const v1::Study& study) {
  return int64_t{study.arms_size()} * (CensusCells(study) + 1) + 2;
}

absl::StatusOr<std::vector<uint32_t>> EncodeCensus(
    const v1::Study& study, const v1::SubmitCensusRequest& census) {
  HILUM_RETURN_IF_ERROR(CheckCensusShape(study, census));
  HILUM_RETURN_IF_ERROR(CheckRows(census));
  std::vector<uint32_t> words;
  for (const v1::ArmCensus& arm : census.arms()) {
    AppendCounts(arm.fold_class_counts(), words);
    words.push_back(static_cast<uint32_t>(arm.without_mask()));
  }
  words.push_back(static_cast<uint32_t>(census.rows()));
  words.push_back(static_cast<uint32_t>(census.rejected_rows()));
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
  }
  totals.set_rows(words.Next());
  totals.set_rejected_rows(words.Next());
  HILUM_RETURN_IF_ERROR(CheckTotals(totals));
  return totals;
}

std::vector<uint64_t> TrainingExamples(const v1::Study& study,
                                       const v1::CensusTotals& census) {
  std::vector<uint64_t> examples;
  for (const Track& track : StudyTracks(study)) {
    examples.push_back(Sum(TrainingCases(study, track, census.arms())));
  }
  return examples;
}

std::vector<uint64_t> HeldOutExamples(const v1::Study& study,
                                      const v1::CensusTotals& census) {
  std::vector<uint64_t> examples;
  for (const Track& track : StudyTracks(study)) {
    const Track all{track.arm, Track::kFinal};
    examples.push_back(Sum(TrainingCases(study, all, census.arms())) -
                       Sum(TrainingCases(study, track, census.arms())));
  }
  return examples;
}

int64_t EvaluationVectorSize(const v1::Study& study) {
  const int64_t tracks =
      int64_t{study.arms_size()} * study.cross_validation().folds();
  const int64_t classes = study.classes_size();
  const int64_t bins = study.evaluation().score_bins();
  const int64_t maps = study.evaluation().localization() ? 3 : 0;
  return tracks * (classes * classes + 2 * classes * bins + 1 + maps);
}

absl::StatusOr<std::vector<uint32_t>> EncodeEvaluation(
    const v1::Study& study, const std::vector<uint64_t>& held_out,
    const google::protobuf::RepeatedPtrField<v1::TrackEvaluation>& tracks) {
  HILUM_RETURN_IF_ERROR(CheckHeldOut(study, held_out));
  HILUM_RETURN_IF_ERROR(CheckEvaluationShape(study, tracks));
  std::vector<uint32_t> words;
  words.reserve(static_cast<size_t>(EvaluationVectorSize(study)));
  for (const v1::TrackEvaluation& track : tracks) {
    const uint64_t most = held_out[track.track()];
    const uint64_t cases = Sum(track.confusion());
    if (cases > most) {
      return absl::InvalidArgumentError(
          absl::StrCat("evaluation: ", cases, " cases of track ", track.track(),
                       ", the whole cohort holds out ", most));
    }
    AppendTrack(study, track, most, words);
  }
  return words;
}

absl::StatusOr<v1::EvaluationTotals> DecodeEvaluation(
    const v1::Study& study, const std::vector<uint64_t>& held_out,
    const std::set<SiteId>& sites, absl::Span<const uint32_t> sums) {
  HILUM_RETURN_IF_ERROR(CheckHeldOut(study, held_out));
  HILUM_RETURN_IF_ERROR(LengthIs("the sum of evaluations", sums.size(),
                                 EvaluationVectorSize(study)));
  WordReader words(sums);
  v1::EvaluationTotals totals = NoEvaluation(study);
  for (const SiteId& site : sites) totals.add_sites(site.name());
  for (v1::TrackEvaluation& track : *totals.mutable_tracks()) {
    const uint64_t most = held_out[track.track()];
    ReadTrack(study, words, most, track);
    HILUM_RETURN_IF_ERROR(CheckTotals(track, most, sites.size()));
    HILUM_RETURN_IF_ERROR(CheckMaps(track, most, sites.size()));
  }
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
    }
    totals.set_rows(totals.rows() + own.rows());
    totals.set_rejected_rows(totals.rejected_rows() + own.rejected_rows());
  }
  return totals;
}

v1::EvaluationTotals SumEvaluations(
    const v1::Study& study,
    const std::map<SiteId, v1::SubmitEvaluationRequest>& evaluations) {
  v1::EvaluationTotals totals = NoEvaluation(study);
  for (const auto& [site, evaluation] : evaluations) {
    totals.add_sites(site.name());
    for (int t = 0; t < totals.tracks_size(); ++t) {
      AddTrack(evaluation.tracks(t), *totals.mutable_tracks(t));
    }
  }
  return totals;
}

}  // namespace hilum
