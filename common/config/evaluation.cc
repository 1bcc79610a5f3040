// SPDX-License-Identifier: Apache-2.0
#include "common/config/evaluation.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/config/census.h"
#include "common/config/study.h"

namespace hilum {
namespace {

absl::Status SizeIs(absl::string_view what, int64_t size, int64_t wanted) {
  if (size == wanted) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, " has ", size, " entries, the study says ", wanted));
}

template <typename Counts>
uint64_t Sum(const Counts& counts) {
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

// Returns the study's tracks that have held-out cases.
std::vector<uint32_t> HeldOutTracks(const v1::Study& study) {
  std::vector<uint32_t> held_out;
  uint32_t index = 0;
  for (const Track& track : StudyTracks(study)) {
    if (!track.IsFinal()) held_out.push_back(index);
    ++index;
  }
  return held_out;
}

absl::Status TooManyCases() {
  return absl::InvalidArgumentError(
      absl::StrCat("evaluation: over ", kMaxArmCases, " cases in a track"));
}

// Checks the bound below which no sum of counts wraps.
absl::Status CheckCases(const v1::TrackEvaluation& track) {
  uint64_t cases = 0;
  for (uint64_t count : track.confusion()) {
    if (count > kMaxArmCases - cases) return TooManyCases();
    cases += count;
  }
  return absl::OkStatus();
}

// Checks one site's evaluation in a study of segmentation.
absl::Status CheckSegmentation(const v1::Study& study,
                               const v1::TrackEvaluation& track) {
  HILUM_RETURN_IF_ERROR(
      SizeIs("evaluation: confusion", track.confusion_size(), 0));
  HILUM_RETURN_IF_ERROR(SizeIs("evaluation: classes", track.classes_size(), 0));
  if (track.mapped() != 0 || track.map_in_lungs_sum() != 0 ||
      track.lung_share_sum() != 0) {
    return absl::InvalidArgumentError(
        "evaluation: activation maps, which a study of segmentation has none "
        "of");
  }
  for (const v1::Overlap& overlap : track.overlaps()) {
    if (overlap.cases() > kMaxArmCases) return TooManyCases();
  }
  return CheckOverlaps(study, track, 0);
}

bool IsOverlap(const v1::Overlap& overlap, double rounding) {
  const auto is_sum = [rounding](double sum, double most) {
    return sum >= -rounding && sum <= most + rounding;
  };
  return overlap.patients() <= overlap.cases() &&
         (overlap.patients() > 0) == (overlap.cases() > 0) &&
         overlap.implausible() <= overlap.cases() &&
         is_sum(overlap.dice_sum(), static_cast<double>(overlap.patients())) &&
         is_sum(overlap.dice_square_sum(), overlap.dice_sum()) &&
         is_sum(overlap.iou_sum(), overlap.dice_sum()) &&
         is_sum(overlap.iou_square_sum(), overlap.iou_sum());
}

// Checks the counts of all cases against the counts of the classes.
bool CountsAgree(const v1::TrackEvaluation& track) {
  const int classes = track.overlaps_size() - 1;
  const v1::Overlap& all = track.overlaps(classes);
  uint64_t cases = 0, implausible = 0, patients = 0, most_patients = 0;
  for (int c = 0; c < classes; ++c) {
    const v1::Overlap& one = track.overlaps(c);
    cases += one.cases();
    implausible += one.implausible();
    patients += one.patients();
    most_patients = std::max(most_patients, uint64_t{one.patients()});
  }
  return cases == all.cases() && implausible == all.implausible() &&
         all.patients() >= most_patients && all.patients() <= patients;
}

bool IsWithheld(const v1::ScoreHistogram& scores) {
  return Sum(scores.positives()) == 0 && Sum(scores.negatives()) == 0;
}

bool IsShown(const ShownHistograms& shown, const v1::TrackEvaluation& track,
             int label) {
  const size_t at = track.track() * static_cast<size_t>(track.classes_size()) +
                    static_cast<size_t>(label);
  return shown.empty() || (at < shown.size() && shown[at]);
}

// Checks the figures of class activation maps.
absl::Status CheckMaps(const v1::Study& study,
                       const v1::TrackEvaluation& track) {
  const uint64_t most =
      study.evaluation().localization() ? Sum(track.confusion()) : 0;
  const double maps = static_cast<double>(track.mapped());
  const auto is_sum = [&](double sum) { return sum >= 0 && sum <= maps; };
  if (track.mapped() <= most && is_sum(track.map_in_lungs_sum()) &&
      is_sum(track.lung_share_sum())) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "evaluation: ", track.mapped(), " activation maps, ",
      track.map_in_lungs_sum(), " of them in lungs that take ",
      track.lung_share_sum(), " of them; the study has at most ", most,
      " maps here, and sums of shares are from 0 to the number of maps"));
}

absl::Status CheckTrack(const v1::Study& study,
                        const v1::TrackEvaluation& track) {
  if (IsSegmentation(study)) return CheckSegmentation(study, track);
  const int classes = study.classes_size();
  const int64_t bins = study.evaluation().score_bins();
  HILUM_RETURN_IF_ERROR(
      SizeIs("evaluation: overlaps", track.overlaps_size(), 0));
  HILUM_RETURN_IF_ERROR(SizeIs("evaluation: confusion", track.confusion_size(),
                               classes * classes));
  HILUM_RETURN_IF_ERROR(
      SizeIs("evaluation: classes", track.classes_size(), classes));
  HILUM_RETURN_IF_ERROR(CheckCases(track));
  HILUM_RETURN_IF_ERROR(CheckMaps(study, track));
  for (const v1::ScoreHistogram& scores : track.classes()) {
    HILUM_RETURN_IF_ERROR(
        SizeIs("evaluation: positives", scores.positives_size(), bins));
    HILUM_RETURN_IF_ERROR(
        SizeIs("evaluation: negatives", scores.negatives_size(), bins));
  }
  for (int c = 0; c < classes; ++c) {
    if (ScoresMatchConfusion(track, c) || IsWithheld(track.classes(c))) {
      continue;
    }
    return absl::InvalidArgumentError(
        "evaluation: histograms and confusion counts disagree");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckEvaluationShape(
    const v1::Study& study,
    const google::protobuf::RepeatedPtrField<v1::TrackEvaluation>& tracks) {
  const std::vector<uint32_t> held_out = HeldOutTracks(study);
  HILUM_RETURN_IF_ERROR(SizeIs("evaluation: tracks", tracks.size(),
                               static_cast<int64_t>(held_out.size())));
  for (int i = 0; i < tracks.size(); ++i) {
    const v1::TrackEvaluation& track = tracks[i];
    if (track.track() != held_out[static_cast<size_t>(i)] ||
        !std::isfinite(track.loss_sum())) {
      return absl::InvalidArgumentError(
          "evaluation: a track out of order, or a loss that is not a number");
    }
    HILUM_RETURN_IF_ERROR(CheckTrack(study, track));
  }
  return absl::OkStatus();
}

uint64_t EvaluatedCases(const v1::TrackEvaluation& track) {
  return track.overlaps().empty() ? Sum(track.confusion())
                                  : track.overlaps().rbegin()->cases();
}

absl::Status CheckOverlaps(const v1::Study& study,
                           const v1::TrackEvaluation& track, double rounding) {
  HILUM_RETURN_IF_ERROR(SizeIs("evaluation: overlaps", track.overlaps_size(),
                               study.classes_size() + 1));
  for (const v1::Overlap& overlap : track.overlaps()) {
    if (IsOverlap(overlap, rounding)) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "evaluation: an overlap of ", overlap.cases(), " cases, ",
        overlap.implausible(), " implausible, of ", overlap.patients(),
        " patients, with sums of ", overlap.dice_sum(), " (Dice), ",
        overlap.iou_sum(), " (IoU), ", overlap.dice_square_sum(), " and ",
        overlap.iou_square_sum(), " (their squares), which cannot be"));
  }
  if (CountsAgree(track)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "evaluation: overlaps of the classes and of all disagree");
}

bool ScoresMatchConfusion(const v1::TrackEvaluation& track, int label) {
  const int classes = track.classes_size();
  const auto row = track.confusion().begin() + label * classes;
  const uint64_t positives = std::accumulate(row, row + classes, uint64_t{0});
  return Sum(track.classes(label).positives()) == positives &&
         Sum(track.classes(label).negatives()) ==
             Sum(track.confusion()) - positives;
}

bool HistogramsAre(const ShownHistograms& shown,
                   const v1::TrackEvaluation& track) {
  for (int c = 0; c < track.classes_size(); ++c) {
    const bool good = IsShown(shown, track, c) ? ScoresMatchConfusion(track, c)
                                               : IsWithheld(track.classes(c));
    if (!good) return false;
  }
  return true;
}

void WithholdHistograms(
    const ShownHistograms& shown,
    google::protobuf::RepeatedPtrField<v1::TrackEvaluation>& tracks) {
  for (v1::TrackEvaluation& track : tracks) {
    for (int c = 0; c < track.classes_size(); ++c) {
      if (IsShown(shown, track, c)) continue;
      v1::ScoreHistogram& scores = *track.mutable_classes(c);
      for (uint32_t& count : *scores.mutable_positives()) count = 0;
      for (uint32_t& count : *scores.mutable_negatives()) count = 0;
    }
  }
}

}  // namespace hilum
