// SPDX-License-Identifier: Apache-2.0
#include "common/config/track_choice.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/config/study.h"

namespace hilum {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void ChooseOne(const v1::Validation& validation, uint32_t round, double loss,
               v1::TrackChoice& choice) {
  if (choice.stopped_after() > 0 || std::isnan(loss)) return;
  if (loss < choice.best_loss()) {
    choice.set_tried(true);
    choice.set_best_loss(loss);
    choice.set_best_round(round - 1);
  }
  if (loss < choice.to_beat() - validation.minimum_gain()) {
    choice.set_to_beat(loss);
    choice.set_without_gain(0);
  } else {
    choice.set_without_gain(choice.without_gain() + 1);
  }
  if (validation.patience() > 0 &&
      choice.without_gain() >= validation.patience()) {
    choice.set_stopped_after(round);
  }
}

}  // namespace

void Choose(const v1::Study& study, uint32_t round,
            absl::Span<const double> losses, TrackChoices& choices) {
  if (!IsValidated(study)) return;
  while (static_cast<size_t>(choices.size()) < losses.size()) {
    v1::TrackChoice& choice = *choices.Add();
    choice.set_best_loss(kInfinity);
    choice.set_to_beat(kInfinity);
  }
  for (size_t t = 0; t < losses.size(); ++t) {
    ChooseOne(study.training().validation(), round, losses[t],
              choices[static_cast<int>(t)]);
  }
}

bool IsStopped(const TrackChoices& choices, size_t track) {
  return track < static_cast<size_t>(choices.size()) &&
         choices[static_cast<int>(track)].stopped_after() > 0;
}

bool AnyTried(const TrackChoices& choices) {
  return std::any_of(
      choices.begin(), choices.end(),
      [](const v1::TrackChoice& choice) { return choice.tried(); });
}

uint32_t ChosenRound(const TrackChoices& choices, size_t track,
                     uint32_t last_round) {
  if (track >= static_cast<size_t>(choices.size())) return last_round;
  const v1::TrackChoice& choice = choices[static_cast<int>(track)];
  return choice.tried() ? choice.best_round() : last_round;
}

uint32_t LastRound(const TrackChoices& choices, size_t track,
                   uint32_t last_round) {
  return IsStopped(choices, track)
             ? choices[static_cast<int>(track)].stopped_after()
             : last_round;
}

void LeaveOutStopped(const TrackChoices& choices,
                     std::vector<uint64_t>& track_examples) {
  for (size_t t = 0; t < track_examples.size(); ++t) {
    if (IsStopped(choices, t)) track_examples[t] = 0;
  }
}

std::vector<ChosenFrom> OriginOfChosen(const TrackChoices& after,
                                       uint32_t round,
                                       absl::Span<const uint64_t> examples) {
  std::vector<ChosenFrom> origin;
  for (size_t t = 0; t < examples.size(); ++t) {
    const bool known = t < static_cast<size_t>(after.size());
    if (!known || !after[static_cast<int>(t)].tried()) {
      // Nobody trained the track: it is what it was, and that was chosen.
      origin.push_back(examples[t] == 0 ? ChosenFrom::kAny
                                        : ChosenFrom::kAfter);
    } else if (after[static_cast<int>(t)].best_round() + 1 == round) {
      origin.push_back(ChosenFrom::kBefore);
    } else {
      origin.push_back(ChosenFrom::kChosen);
    }
  }
  return origin;
}

}  // namespace hilum
