// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/track_shares.h"

#include <algorithm>
#include <cstdint>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "common/config/census.h"
#include "common/config/cohort_rules.h"
#include "common/config/step_plan.h"
#include "common/config/study.h"

namespace hilum {
namespace {

uint64_t Sum(const std::vector<uint64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

double Scaled(double sum, uint64_t part, uint64_t whole) {
  if (part == whole) return sum;
  return sum * static_cast<double>(part) / static_cast<double>(whole);
}

TrackShare ShareOf(const v1::TrackUpdate& trained, uint64_t most_examples,
                   bool validates) {
  const uint64_t tried = validates ? trained.validation_examples() : 0;
  const double all =
      static_cast<double>(trained.num_examples()) + static_cast<double>(tried);
  const double most = static_cast<double>(most_examples);
  TrackShare share{.validation_examples = tried};
  if (all > most) {
    share.validation_examples =
        static_cast<uint64_t>(static_cast<double>(tried) / all * most);
  }
  share.num_examples = std::min(trained.num_examples(),
                                most_examples - share.validation_examples);
  share.loss_sum =
      Scaled(trained.loss_sum(), share.num_examples, trained.num_examples());
  if (tried > 0) {
    share.validation_loss_sum =
        Scaled(trained.validation_loss_sum(), share.validation_examples, tried);
  }
  return share;
}

// Returns whether this site's census has validation patients for a track.
bool HasValidation(const v1::Study& study, const Track& track,
                   const v1::SubmitCensusRequest& own) {
  for (int a = 0; a < std::min(own.arms_size(), study.arms_size()); ++a) {
    if (study.arms(a) != track.arm) continue;
    const auto& folds = own.arms(a).fold_validation_patients();
    for (int fold = 0; fold < folds.size(); ++fold) {
      if (fold != track.fold && folds[fold] > 0) return true;
    }
  }
  return false;
}

}  // namespace

absl::StatusOr<std::vector<TrackShare>> TrackShares(
    const v1::Study& study, const v1::CensusTotals& cohort,
    const TrackChoices& choices,
    const std::optional<v1::SubmitCensusRequest>& own,
    const v1::TrainResponse& trained) {
  const std::vector<Track> tracks = StudyTracks(study);
  if (static_cast<size_t>(trained.tracks_size()) != tracks.size()) {
    return absl::InternalError("the trainer's answer lacks tracks");
  }
  std::vector<uint64_t> examples = TrackExamples(study, cohort);
  LeaveOutStopped(choices, examples);
  const std::vector<uint64_t> most_trained = MostTrained(study, cohort);
  const std::vector<bool> validated = ValidatedTracks(study, cohort);
  std::vector<TrackShare> shares;
  for (size_t t = 0; t < tracks.size(); ++t) {
    const v1::TrackUpdate& update = trained.tracks(static_cast<int>(t));
    const uint64_t most =
        examples[t] == 0  ? 0
        : own.has_value() ? Sum(TrainingCases(study, tracks[t], own->arms()))
                          : kMaxSiteExamples;
    if (IsSecure(study) && most > 0 && update.num_examples() == 0) {
      return absl::AbortedError(absl::StrCat("track ", ArmTrackName(tracks[t]),
                                             " could not be trained"));
    }
    if (IsSecure(study) && validated[t] && most > 0 && own.has_value() &&
        HasValidation(study, tracks[t], *own) &&
        update.validation_examples() == 0) {
      return absl::AbortedError(absl::StrCat("track ", ArmTrackName(tracks[t]),
                                             " could not be validated"));
    }
    TrackShare share = ShareOf(update, most, validated[t]);
    share.total_examples = examples[t];
    share.most_trained = examples[t] == 0 ? 0 : most_trained[t];
    if (study.aggregation().normalization() ==
        v1::Aggregation::NORMALIZATION_FEDNOVA) {
      share.normalized_steps =
          NormalizedSteps(study.training().optimizer(), update.steps());
    }
    shares.push_back(share);
  }
  return shares;
}

}  // namespace hilum
