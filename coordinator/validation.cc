// SPDX-License-Identifier: Apache-2.0
#include "coordinator/validation.h"

#include <cmath>

#include "common/config/study.h"

namespace hilum {
namespace {

// The first protocol in which validation losses travel, and choose, by track.
constexpr uint32_t kFirstWithTrackChoices = 7;

// A study that was not submitted has no protocol yet.
bool ChoosesByTrack(const v1::Study& study) {
  return study.protocol_version() == 0 ||
         study.protocol_version() >= kFirstWithTrackChoices;
}

}  // namespace

TrackChoices ChoicesAfter(const v1::Study& study,
                          absl::Span<const RoundSummary> rounds) {
  TrackChoices choices;
  if (!IsValidated(study)) return choices;
  const size_t tracks = StudyTracks(study).size();
  for (const RoundSummary& round : rounds) {
    if (ChoosesByTrack(study) && round.validation_loss.size() == tracks) {
      Choose(study, round.round, round.validation_loss, choices);
    } else {
      Choose(study, round.round,
             std::vector<double>(tracks, round.MeanValidationLoss()), choices);
    }
  }
  return choices;
}

std::vector<uint32_t> EvaluatedRounds(const v1::Study& study,
                                      absl::Span<const RoundSummary> rounds) {
  const TrackChoices choices = ChoicesAfter(study, rounds);
  const auto last = static_cast<uint32_t>(rounds.size());
  std::vector<uint32_t> evaluated;
  for (size_t t = 0; t < StudyTracks(study).size(); ++t) {
    evaluated.push_back(ChosenRound(choices, t, last));
  }
  return evaluated;
}

std::vector<uint32_t> LastRounds(const v1::Study& study,
                                 absl::Span<const RoundSummary> rounds) {
  const TrackChoices choices = ChoicesAfter(study, rounds);
  const auto last = static_cast<uint32_t>(rounds.size());
  std::vector<uint32_t> trained;
  for (size_t t = 0; t < StudyTracks(study).size(); ++t) {
    trained.push_back(LastRound(choices, t, last));
  }
  return trained;
}

bool TrainingIsOver(const v1::Study& study,
                    absl::Span<const RoundSummary> rounds,
                    absl::Span<const uint64_t> track_examples) {
  if (rounds.size() >= study.training().rounds()) return true;
  if (study.training().validation().patience() == 0) return false;
  const TrackChoices choices = ChoicesAfter(study, rounds);
  bool any = false;
  for (size_t t = 0; t < track_examples.size(); ++t) {
    if (track_examples[t] == 0) continue;
    if (!IsStopped(choices, t)) return false;
    any = true;
  }
  return any;
}

}  // namespace hilum
