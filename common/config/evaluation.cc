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

// 32-bit counts, too few of them to wrap.
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

absl::Status CheckScores(const v1::TrackEvaluation& track, int label,
                         int64_t bins) {
  const v1::ScoreHistogram& scores = track.classes(label);
  HILUM_RETURN_IF_ERROR(
      SizeIs("evaluation: positives", scores.positives_size(), bins));
  HILUM_RETURN_IF_ERROR(
      SizeIs("evaluation: negatives", scores.negatives_size(), bins));
  const int classes = track.classes_size();
  const auto row = track.confusion().begin() + label * classes;
  const uint64_t positives = std::accumulate(row, row + classes, uint64_t{0});
  if (Sum(scores.positives()) == positives &&
      Sum(scores.negatives()) == Sum(track.confusion()) - positives) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      "evaluation: histograms and confusion counts disagree");
}

absl::Status CheckTrack(const v1::Study& study,
                        const v1::TrackEvaluation& track) {
  const int classes = study.classes_size();
  HILUM_RETURN_IF_ERROR(SizeIs("evaluation: confusion", track.confusion_size(),
                               classes * classes));
  HILUM_RETURN_IF_ERROR(
      SizeIs("evaluation: classes", track.classes_size(), classes));
  HILUM_RETURN_IF_ERROR(CheckCases(track));
  for (int c = 0; c < classes; ++c) {
    HILUM_RETURN_IF_ERROR(
        CheckScores(track, c, study.evaluation().score_bins()));
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

}  // namespace hilum
