// SPDX-License-Identifier: Apache-2.0
#include "coordinator/trained_tracks.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/config/study.h"
#include "coordinator/seen_by_weights.h"

namespace hilum {
namespace {

constexpr char kWhyNobody[] =
    "In no round did an update count: no site has cases to train on, or each "
    "site withheld its update, as it does where training diverges; the sites' "
    "own logs say why. A lower training.optimizer.learning_rate may help.";

constexpr char kWhyStart[] =
    "Validation found the starting weights better than the models after every "
    "round. A lower training.optimizer.learning_rate may help.";

bool Counted(const RoundSummary& round, size_t track) {
  return round.examples.empty() || round.examples.at(track) > 0;
}

}  // namespace

std::vector<bool> TrainedTracks(const v1::Study& study,
                                absl::Span<const RoundSummary> rounds,
                                absl::Span<const uint32_t> model_rounds) {
  const size_t tracks = StudyTracks(study).size();
  std::vector<bool> trained(tracks, rounds.empty());
  for (const RoundSummary& round : rounds) {
    for (size_t t = 0; t < tracks; ++t) {
      if (round.round > model_rounds[t]) continue;
      if (Counted(round, t)) trained[t] = true;
    }
  }
  return trained;
}

std::vector<bool> TrainedTracks(const StudyResult& result) {
  return TrainedTracks(result.study, result.rounds, result.model_rounds);
}

std::string UntrainedSentence(const v1::Study& study,
                              absl::Span<const RoundSummary> rounds,
                              absl::Span<const uint32_t> model_rounds) {
  const std::vector<bool> trained = TrainedTracks(study, rounds, model_rounds);
  const std::vector<Track> tracks = StudyTracks(study);
  std::vector<std::string> names, reasons;
  bool start = false, nobody = false;
  for (size_t t = 0; t < tracks.size(); ++t) {
    if (trained[t]) continue;
    names.push_back(ArmTrackName(tracks[t]));
    (model_rounds[t] == 0 ? start : nobody) = true;
  }
  if (names.empty()) return "";
  if (start) reasons.push_back(kWhyStart);
  if (nobody) reasons.push_back(kWhyNobody);
  const std::string why = absl::StrJoin(reasons, " ");
  if (names.size() == tracks.size()) {
    return absl::StrCat(
        "No model of this study was trained: all are the starting weights "
        "still, so there are no figures and no model files. ",
        why);
  }
  return absl::StrCat(
      "Not trained, and the starting weights still: ",
      absl::StrJoin(names, ", "),
      ". They have no figures and no model files, and an arm with such a fold "
      "has no figures over all folds. ",
      why);
}

std::string UntrainedSentence(const StudyResult& result) {
  return UntrainedSentence(result.study, result.rounds, result.model_rounds);
}

std::vector<std::string> ResultWarnings(const StudyResult& result) {
  std::vector<std::string> warnings;
  if (!result.stopped.empty()) {
    warnings.push_back(absl::StrCat(
        "This study was stopped after round ", result.rounds.size(), " of ",
        result.study.training().rounds(),
        ": its models are not trained to the end, and nothing was evaluated. "
        "Why: ",
        result.stopped, "."));
  }
  std::string untrained = UntrainedSentence(result);
  if (!untrained.empty()) warnings.push_back(std::move(untrained));
  for (std::string& seen : SeenWarnings(result)) {
    warnings.push_back(std::move(seen));
  }
  return warnings;
}

}  // namespace hilum
