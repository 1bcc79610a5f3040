// SPDX-License-Identifier: Apache-2.0
#include "common/config/evaluation.h"

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

// Which of the study's tracks hold cases out.
std::vector<uint32_t> HeldOutTracks(const v1::Study& study) {
  std::vector<uint32_t> held_out;
  uint32_t index = 0;
  for (const Track& track : StudyTracks(study)) {
    if (!track.IsFinal()) held_out.push_back(index);
    ++index;
  }
  return held_out;
}

// Below the bound no sum of counts wraps.
absl::Status CheckCases(const v1::TrackEvaluation& track) {
  uint64_t cases = 0;
  for (uint64_t count : track.confusion()) {
    if (count > kMaxArmCases - cases) {
      return absl::InvalidArgumentError(
          absl::StrCat("evaluation: over ", kMaxArmCases, " cases in a track"));
    }
    cases += count;
  }
  return absl::OkStatus();
}

// Of class activation maps.
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
  const int classes = study.classes_size();
  const int64_t bins = study.evaluation().score_bins();
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
  if (ScoresMatchConfusion(track)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "evaluation: histograms and confusion counts disagree");
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

bool ScoresMatchConfusion(const v1::TrackEvaluation& track) {
  const int classes = track.classes_size();
  const uint64_t cases = Sum(track.confusion());
  for (int c = 0; c < classes; ++c) {
    const auto row = track.confusion().begin() + c * classes;
    const uint64_t positives = std::accumulate(row, row + classes, uint64_t{0});
    if (Sum(track.classes(c).positives()) != positives ||
        Sum(track.classes(c).negatives()) != cases - positives) {
      return false;
    }
  }
  return true;
}

}  // namespace hilum
