// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/aggregation/ring.h"
#include "common/aggregation/statistics_vector.h"
#include "common/aggregation/statistics_words.h"
#include "common/base/status_macros.h"
#include "common/config/evaluation.h"
#include "common/config/study.h"
#include "common/metrics/overlap.h"

namespace hilum {
namespace {

absl::Status CheckHeldOut(const v1::Study& study,
                          const std::vector<uint64_t>& held_out) {
  return LengthIs("the cohort's census", held_out.size(),
                  static_cast<int64_t>(StudyTracks(study).size()));
}

absl::Status CheckShown(const v1::Study& study, const ShownHistograms& shown) {
  if (shown.empty()) return absl::OkStatus();
  return LengthIs(
      "which histograms are shown", shown.size(),
      static_cast<int64_t>(StudyTracks(study).size()) * study.classes_size());
}

v1::TrackEvaluation NoCases(const v1::Study& study, uint32_t track) {
  const int classes = study.classes_size();
  v1::TrackEvaluation empty;
  empty.set_track(track);
  if (IsSegmentation(study)) {
    for (int c = 0; c < classes + 1; ++c) empty.add_overlaps();
    return empty;
  }
  const int bins = static_cast<int>(study.evaluation().score_bins());
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

// Words of an overlap: three counts and four sums over patients.
constexpr int kOverlapWords = 7;

void AppendOverlap(const v1::Overlap& overlap, uint64_t held_out,
                   std::vector<uint32_t>& words) {
  for (uint64_t count :
       {overlap.cases(), overlap.patients(), overlap.implausible()}) {
    words.push_back(static_cast<uint32_t>(count));
  }
  for (double sum : {overlap.dice_sum(), overlap.dice_square_sum(),
                     overlap.iou_sum(), overlap.iou_square_sum()}) {
    words.push_back(EncodeShares(sum, overlap.patients(), held_out));
  }
}

void ReadOverlap(WordReader& words, uint64_t held_out, v1::Overlap& overlap) {
  overlap.set_cases(words.Next());
  overlap.set_patients(words.Next());
  overlap.set_implausible(words.Next());
  overlap.set_dice_sum(DecodeShares(words.Next(), held_out));
  overlap.set_dice_square_sum(DecodeShares(words.Next(), held_out));
  overlap.set_iou_sum(DecodeShares(words.Next(), held_out));
  overlap.set_iou_square_sum(DecodeShares(words.Next(), held_out));
}

void AppendTrack(const v1::Study& study, const v1::TrackEvaluation& track,
                 uint64_t held_out, std::vector<uint32_t>& words) {
  AppendCounts(track.confusion(), words);
  for (const v1::ScoreHistogram& scores : track.classes()) {
    AppendCounts(scores.positives(), words);
    AppendCounts(scores.negatives(), words);
  }
  for (const v1::Overlap& overlap : track.overlaps()) {
    AppendOverlap(overlap, held_out, words);
  }
  words.push_back(
      EncodeLoss(track.loss_sum(), EvaluatedCases(track), held_out));
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
  for (v1::Overlap& overlap : *track.mutable_overlaps()) {
    ReadOverlap(words, held_out, overlap);
  }
  // The mean over one case equals the sum.
  track.set_loss_sum(DecodeLoss(words.Next(), 1, held_out));
  if (!study.evaluation().localization()) return;
  track.set_mapped(words.Next());
  track.set_map_in_lungs_sum(DecodeShares(words.Next(), held_out));
  track.set_lung_share_sum(DecodeShares(words.Next(), held_out));
}

// Returns twice the largest rounding error of a sum of shares from so many
// sites.
double ShareRounding(uint64_t held_out, size_t sites) {
  return static_cast<double>(sites) * 0x1p-30 * static_cast<double>(held_out);
}

// Checks the sums over class activation maps. Rounding may bring a sum of
// shares over the number of maps; within ShareRounding such a sum is corrected.
absl::Status CheckMaps(v1::TrackEvaluation& track, uint64_t held_out,
                       size_t sites) {
  const double maps = static_cast<double>(track.mapped());
  const double most = maps + ShareRounding(held_out, sites);
  if (track.mapped() > EvaluatedCases(track) ||
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

// Checks the overlaps. Corrects sums that exceed their bounds by rounding only.
absl::Status CheckOverlapTotals(const v1::Study& study, uint64_t held_out,
                                size_t sites, v1::TrackEvaluation& track) {
  const absl::Status good =
      CheckOverlaps(study, track, ShareRounding(held_out, sites));
  if (!good.ok()) {
    return Absurd(
        absl::StrCat("in track ", track.track(), " ", good.message()));
  }
  for (v1::Overlap& overlap : *track.mutable_overlaps()) {
    overlap.set_dice_sum(
        std::min(overlap.dice_sum(), static_cast<double>(overlap.patients())));
    overlap.set_dice_square_sum(
        std::min(overlap.dice_square_sum(), overlap.dice_sum()));
    overlap.set_iou_sum(std::min(overlap.iou_sum(), overlap.dice_sum()));
    overlap.set_iou_square_sum(
        std::min(overlap.iou_square_sum(), overlap.iou_sum()));
  }
  return absl::OkStatus();
}

absl::Status CheckTotals(const v1::TrackEvaluation& track, uint64_t held_out,
                         size_t sites, const ShownHistograms& shown) {
  const uint64_t cases = EvaluatedCases(track);
  if (cases > held_out) {
    return Absurd(absl::StrCat(cases, " cases of track ", track.track(),
                               ", the whole cohort holds out ", held_out));
  }
  if (!HistogramsAre(shown, track)) {
    return Absurd(absl::StrCat("histograms of track ", track.track(),
                               " that disagree with its confusion counts, or "
                               "that are of too few patients to be sent"));
  }
  // Twice the largest rounding error.
  const double rounding = static_cast<double>(sites) * 0x1p-24;
  const double most = kMaxLoss * static_cast<double>(cases) +
                      rounding * static_cast<double>(held_out);
  if (track.loss_sum() >= 0 && track.loss_sum() <= most) {
    return absl::OkStatus();
  }
  return Absurd(absl::StrCat("a loss of ", track.loss_sum(), " of track ",
                             track.track(), " with ", cases, " cases"));
}

// Checks the evaluation of one site, whose histograms are already withheld.
absl::Status CheckOwn(const v1::TrackEvaluation& track, uint64_t held_out,
                      const ShownHistograms& shown) {
  const uint64_t cases = EvaluatedCases(track);
  if (cases > held_out) {
    return absl::InvalidArgumentError(
        absl::StrCat("evaluation: ", cases, " cases of track ", track.track(),
                     ", the whole cohort holds out ", held_out));
  }
  if (HistogramsAre(shown, track)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("evaluation: histograms of track ", track.track(),
                   " lack the cases that its confusion counts have"));
}

void AddTrack(const v1::TrackEvaluation& track, v1::TrackEvaluation& sum) {
  AddCounts(track.confusion(), *sum.mutable_confusion());
  for (int c = 0; c < sum.classes_size(); ++c) {
    AddCounts(track.classes(c).positives(),
              *sum.mutable_classes(c)->mutable_positives());
    AddCounts(track.classes(c).negatives(),
              *sum.mutable_classes(c)->mutable_negatives());
  }
  for (int c = 0; c < sum.overlaps_size(); ++c) {
    AddOverlap(track.overlaps(c), *sum.mutable_overlaps(c));
  }
  sum.set_loss_sum(sum.loss_sum() + track.loss_sum());
  sum.set_mapped(sum.mapped() + track.mapped());
  sum.set_map_in_lungs_sum(sum.map_in_lungs_sum() + track.map_in_lungs_sum());
  sum.set_lung_share_sum(sum.lung_share_sum() + track.lung_share_sum());
}

}  // namespace

int64_t EvaluationVectorSize(const v1::Study& study) {
  const int64_t tracks =
      int64_t{study.arms_size()} * study.cross_validation().folds();
  const int64_t classes = study.classes_size();
  if (IsSegmentation(study)) {
    return tracks * ((classes + 1) * kOverlapWords + 1);
  }
  const int64_t bins = study.evaluation().score_bins();
  const int64_t maps = study.evaluation().localization() ? 3 : 0;
  return tracks * (classes * classes + 2 * classes * bins + 1 + maps);
}

absl::StatusOr<std::vector<uint32_t>> EncodeEvaluation(
    const v1::Study& study, const std::vector<uint64_t>& held_out,
    google::protobuf::RepeatedPtrField<v1::TrackEvaluation> tracks,
    const ShownHistograms& shown) {
  HILUM_RETURN_IF_ERROR(CheckHeldOut(study, held_out));
  HILUM_RETURN_IF_ERROR(CheckShown(study, shown));
  HILUM_RETURN_IF_ERROR(CheckEvaluationShape(study, tracks));
  WithholdHistograms(shown, tracks);
  std::vector<uint32_t> words;
  words.reserve(static_cast<size_t>(EvaluationVectorSize(study)));
  for (v1::TrackEvaluation& track : tracks) {
    const uint64_t most = held_out[track.track()];
    if (most == 0) track = NoCases(study, track.track());
    HILUM_RETURN_IF_ERROR(CheckOwn(track, most, shown));
    AppendTrack(study, track, most, words);
  }
  return words;
}

absl::StatusOr<v1::EvaluationTotals> DecodeEvaluation(
    const v1::Study& study, const std::vector<uint64_t>& held_out,
    const std::set<SiteId>& sites, absl::Span<const uint32_t> sums,
    const ShownHistograms& shown) {
  HILUM_RETURN_IF_ERROR(CheckHeldOut(study, held_out));
  HILUM_RETURN_IF_ERROR(CheckShown(study, shown));
  HILUM_RETURN_IF_ERROR(LengthIs("the sum of evaluations", sums.size(),
                                 EvaluationVectorSize(study)));
  WordReader words(sums);
  v1::EvaluationTotals totals = NoEvaluation(study);
  for (const SiteId& site : sites) totals.add_sites(site.name());
  for (v1::TrackEvaluation& track : *totals.mutable_tracks()) {
    const uint64_t most = held_out[track.track()];
    ReadTrack(study, words, most, track);
    HILUM_RETURN_IF_ERROR(CheckTotals(track, most, sites.size(), shown));
    HILUM_RETURN_IF_ERROR(
        IsSegmentation(study)
            ? CheckOverlapTotals(study, most, sites.size(), track)
            : CheckMaps(track, most, sites.size()));
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
