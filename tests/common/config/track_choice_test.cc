// SPDX-License-Identifier: Apache-2.0
#include "common/config/track_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "common/base/rng.h"

namespace hilum {
namespace {

using testing::ElementsAre;

const double kNothing = std::nan("");

v1::Study SomeStudy(uint32_t patience, double minimum_gain = 0) {
  v1::Study study;
  v1::Validation& rules = *study.mutable_training()->mutable_validation();
  rules.set_share(0.2);
  rules.set_patience(patience);
  rules.set_minimum_gain(minimum_gain);
  return study;
}

// Returns the choice of one track with these losses in rounds 1, 2, ...
v1::TrackChoice After(const v1::Study& study,
                      const std::vector<double>& losses) {
  TrackChoices choices;
  uint32_t round = 0;
  for (double loss : losses) Choose(study, ++round, {loss}, choices);
  return choices.empty() ? v1::TrackChoice() : choices[0];
}

TEST(TrackChoiceTest, BestIsTheModelBeforeTheRoundOfTheLowestLoss) {
  const v1::Study study = SomeStudy(0);
  EXPECT_FALSE(After(study, {}).tried());
  EXPECT_FALSE(After(study, {kNothing, kNothing}).tried());
  EXPECT_EQ(After(study, {3, 2, 2.5}).best_round(), 1u);
  EXPECT_EQ(After(study, {3, 2, 2}).best_round(), 1u);  // the first of equals
  EXPECT_EQ(After(study, {1, 2, 3}).best_round(), 0u);
  EXPECT_TRUE(After(study, {1, 2, 3}).tried());
  EXPECT_EQ(After(study, {kNothing, 2, kNothing, 1}).best_round(), 3u);
}

TEST(TrackChoiceTest, TrackStopsAfterPatienceWithoutGainForGood) {
  const v1::Study study = SomeStudy(2);
  EXPECT_EQ(After(study, {3, 2, 2.5}).stopped_after(), 0u);
  EXPECT_EQ(After(study, {3, 2, 2.5, 1.9}).stopped_after(), 0u);
  const v1::TrackChoice stopped = After(study, {3, 2, 2.5, 2});
  EXPECT_EQ(stopped.stopped_after(), 4u);
  EXPECT_EQ(After(study, {3, 2, 2.5, 2, 0.5, 0.25}).SerializeAsString(),
            stopped.SerializeAsString());
  EXPECT_EQ(After(SomeStudy(0), {3, 4, 5, 6, 7}).stopped_after(), 0u);
  // A round that tried nothing counts neither way.
  EXPECT_EQ(After(study, {3, 4, kNothing, kNothing}).stopped_after(), 0u);
  EXPECT_EQ(After(study, {3, 4, kNothing, 4}).stopped_after(), 4u);
}

TEST(TrackChoiceTest, SmallGainsCountOnceTheyAddUp) {
  const v1::Study study = SomeStudy(2, 0.1);
  EXPECT_EQ(After(study, {3, 2.95, 2.91}).stopped_after(), 3u);
  EXPECT_EQ(After(study, {3, 2.95, 2.89}).stopped_after(), 0u);
}

TEST(TrackChoiceTest, StudyWithoutValidationHasNoChoices) {
  TrackChoices choices;
  Choose(v1::Study(), 1, {1, 2}, choices);
  EXPECT_TRUE(choices.empty());
  EXPECT_FALSE(AnyTried(choices));
  EXPECT_FALSE(IsStopped(choices, 0));
  EXPECT_EQ(ChosenRound(choices, 1, 7), 7u);
  EXPECT_EQ(LastRound(choices, 1, 7), 7u);
}

TEST(TrackChoiceTest, StoppedTracksHaveNoTrainingCasesAnyMore) {
  const v1::Study study = SomeStudy(1);
  TrackChoices choices;
  Choose(study, 1, {1, 1, kNothing}, choices);
  Choose(study, 2, {2, 0.5, kNothing}, choices);
  std::vector<uint64_t> examples = {10, 20, 30, 40};
  LeaveOutStopped(choices, examples);
  EXPECT_THAT(examples, ElementsAre(0, 20, 30, 40));
  EXPECT_EQ(ChosenRound(choices, 0, 9), 0u);
  EXPECT_EQ(ChosenRound(choices, 2, 9), 9u);
  EXPECT_EQ(LastRound(choices, 0, 9), 2u);
  EXPECT_EQ(LastRound(choices, 1, 9), 9u);
}

// --- A slow reference: the same over a whole history, and models as numbers.

struct History {
  std::vector<std::vector<double>> losses;      // [rounds][tracks]
  std::vector<std::vector<uint64_t>> examples;  // [rounds][tracks]
};

History SomeHistory(Rng& rng, size_t tracks) {
  constexpr double kStock[] = {0.25, 0.5, 0.625, 0.75, 0.875, 1.0};
  History history;
  for (uint64_t left = rng.Below(12); left > 0; --left) {
    auto& losses = history.losses.emplace_back();
    auto& examples = history.examples.emplace_back();
    const bool lost = rng.Below(6) == 0;
    for (size_t t = 0; t < tracks; ++t) {
      const bool tried = !lost && t > 0 && rng.Below(4) > 0;
      losses.push_back(tried ? kStock[rng.Below(6)] : kNothing);
      examples.push_back(lost || (t == 1 && rng.Below(2) == 0) ? 0 : 5);
    }
  }
  return history;
}

// Returns the last round of the track by its losses alone, and sets `best`.
size_t SlowEnd(const std::vector<double>& losses, uint32_t patience,
               double gain, std::optional<size_t>& best) {
  double lowest = std::numeric_limits<double>::infinity(), to_beat = lowest;
  uint32_t without = 0;
  for (size_t r = 0; r < losses.size(); ++r) {
    if (std::isnan(losses[r])) continue;
    if (losses[r] < lowest) {
      lowest = losses[r];
      best = r;
    }
    without = losses[r] < to_beat - gain ? 0 : without + 1;
    if (without == 0) to_beat = losses[r];
    if (patience > 0 && without >= patience) return r + 1;
  }
  return losses.size();
}

// Models are numbers: each round in which a track is trained makes a new one.
// The chosen models are copied as OriginOfChosen says, and must be those of the
// reference, which looks at whole histories.
TEST(TrackChoiceTest, ChosenModelsAreTheReferencesOnAnyHistory) {
  Rng rng(1, "choices");
  constexpr size_t kTracks = 4;
  int stopped = 0, tried = 0;
  for (int trial = 0; trial < 2000; ++trial) {
    const auto patience = static_cast<uint32_t>(rng.Below(4));
    const v1::Study study = SomeStudy(patience, rng.Below(2) == 0 ? 0 : 0.125);
    const History history = SomeHistory(rng, kTracks);
    TrackChoices choices;
    std::vector<std::vector<int>> models = {{0, 0, 0, 0}};  // after each round
    std::vector<int> chosen = models[0];
    for (size_t r = 0; r < history.losses.size(); ++r) {
      std::vector<uint64_t> examples = history.examples[r];
      LeaveOutStopped(choices, examples);
      const std::vector<int> before = models.back();
      std::vector<int> after = before;
      for (size_t t = 0; t < kTracks; ++t) {
        if (examples[t] > 0) after[t] = static_cast<int>(r) + 1;
      }
      const auto round = static_cast<uint32_t>(r + 1);
      const bool had = AnyTried(choices);
      Choose(study, round, history.losses[r], choices);
      const auto origins = OriginOfChosen(choices, round, examples);
      for (size_t t = 0; t < kTracks; ++t) {
        const std::vector<int>& kept = had ? chosen : before;
        const int from_kept = kept[t], from_before = before[t];
        if (origins[t] == ChosenFrom::kAny) {
          EXPECT_TRUE(from_kept == from_before && from_before == after[t]);
        }
        chosen[t] = origins[t] == ChosenFrom::kAfter    ? after[t]
                    : origins[t] == ChosenFrom::kBefore ? from_before
                                                        : from_kept;
      }
      if (!AnyTried(choices)) chosen = after;
      models.push_back(after);
    }
    for (size_t t = 0; t < kTracks; ++t) {
      std::vector<double> losses;
      for (const auto& round : history.losses) losses.push_back(round[t]);
      std::optional<size_t> best;
      const size_t end = SlowEnd(
          losses, patience, study.training().validation().minimum_gain(), best);
      EXPECT_EQ(LastRound(choices, t, static_cast<uint32_t>(losses.size())),
                end);
      EXPECT_EQ(chosen[t], models[best.value_or(end)][t]) << trial;
      stopped += IsStopped(choices, t);
      tried += best.has_value();
    }
  }
  EXPECT_GT(stopped, 500);
  EXPECT_GT(tried, 3000);
}

}  // namespace
}  // namespace hilum
