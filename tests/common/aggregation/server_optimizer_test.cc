// SPDX-License-Identifier: Apache-2.0
#include "common/aggregation/server_optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "common/aggregation/ring.h"
#include "common/base/rng.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

using Rules = v1::ServerOptimizer;

constexpr double kScale = 0x1p-26;  // of a word
constexpr ElementRun kWeights{.size = 1, .learned = true, .decays = true};
constexpr Rules::Kind kKinds[] = {Rules::KIND_SGD, Rules::KIND_ADAM,
                                  Rules::KIND_YOGI, Rules::KIND_ADAGRAD,
                                  Rules::KIND_ADAMW};

uint32_t Word(double d) {
  return static_cast<uint32_t>(
      static_cast<int32_t>(std::llrint(std::ldexp(d, 26))));
}

v1::Study StudyWith(Rules::Kind kind, double rate) {
  v1::Study study;
  study.mutable_training()->set_rounds(1000);
  Rules& rules = *study.mutable_aggregation()->mutable_server_optimizer();
  rules.set_kind(kind);
  rules.set_learning_rate(rate);
  rules.set_beta1(0.9);
  rules.set_beta2(0.99);
  rules.set_epsilon(1e-6);
  rules.mutable_schedule()->set_kind(v1::Schedule::KIND_CONSTANT);
  return study;
}

// The papers' formulas, one element, in long double.
class Reference {
 public:
  Reference(const Rules& rules, double weight) : rules_(rules), w_(weight) {}

  long double Step(long double d, int t) {
    const long double b1 = rules_.beta1(), b2 = rules_.beta2();
    const long double rate = rules_.learning_rate();
    if (rules_.kind() == Rules::KIND_SGD) {
      m_ = rules_.momentum() * m_ + d;
      return w_ = w_ - rate * rules_.weight_decay() * w_ + rate * m_;
    }
    m_ = b1 * m_ + (1 - b1) * d;
    long double second = 0;
    if (rules_.kind() == Rules::KIND_ADAGRAD) {
      second = v_ += d * d;
    } else {
      if (rules_.kind() == Rules::KIND_YOGI) {
        const long double sign = v_ > d * d ? 1 : v_ < d * d ? -1 : 0;
        v_ -= (1 - b2) * sign * d * d;
      } else {
        v_ = b2 * v_ + (1 - b2) * d * d;
      }
      second = v_ / (1 - std::pow(b2, t));
    }
    const long double first = m_ / (1 - std::pow(b1, t));
    return w_ = w_ - rate * rules_.weight_decay() * w_ +
                rate * first / (std::sqrt(second) + rules_.epsilon());
  }

 private:
  const Rules rules_;
  long double w_, m_ = 0, v_ = 0;
};

// Steps all elements of a track together.
class Track {
 public:
  Track(const v1::Study& study, std::vector<float> weights)
      : study_(study),
        weights_(std::move(weights)),
        state_(weights_.size() * static_cast<size_t>(StateSize(
                                     study.aggregation().server_optimizer()))) {
  }

  void Step(const std::vector<uint32_t>& sums, ElementRun run = kWeights) {
    ++round_;
    const Rules& rules = study_.aggregation().server_optimizer();
    ServerStep step(
        rules,
        ServerRateFactor(rules.schedule(), study_.training().rounds(), round_),
        round_);
    double squares = 0;
    AddSquares(sums, kScale, squares);
    step.Clip(squares);
    step.Apply(run, sums, kScale, absl::MakeSpan(state_),
               absl::MakeSpan(weights_));
  }
  void StepBy(double d, ElementRun run = kWeights) { Step({Word(d)}, run); }

  const std::vector<float>& weights() const { return weights_; }
  const std::vector<float>& state() const { return state_; }

 private:
  const v1::Study study_;
  std::vector<float> weights_;
  std::vector<float> state_;
  uint32_t round_ = 0;
};

TEST(ServerOptimizerTest, EachKindIsThePapersFormula) {
  for (const Rules::Kind kind : kKinds) {
    v1::Study study = StudyWith(kind, 0.02);
    Rules& rules = *study.mutable_aggregation()->mutable_server_optimizer();
    if (kind == Rules::KIND_SGD) rules.set_momentum(0.9);
    if (kind == Rules::KIND_SGD || kind == Rules::KIND_ADAMW) {
      rules.set_weight_decay(0.05);
    }
    Track track(study, {0.5f});
    Reference reference(rules, 0.5);
    Rng rng(7, "updates");
    for (int t = 1; t <= 200; ++t) {
      const double d =
          std::ldexp(std::rint(rng.Uniform() * 65536 - 30000), -20);
      track.StepBy(d);
      EXPECT_NEAR(track.weights()[0], reference.Step(d, t), 2e-6 * t)
          << Rules::Kind_Name(kind) << " step " << t;
    }
  }
}

// f(w) = (w - 3)^2 / 2: the mean update is minus the gradient.
TEST(ServerOptimizerTest, EachKindFindsTheMinimumOfAQuadratic) {
  for (const Rules::Kind kind : kKinds) {
    v1::Study study = StudyWith(kind, kind == Rules::KIND_ADAGRAD ? 1 : 0.1);
    study.mutable_training()->set_rounds(500);
    v1::Schedule& schedule = *study.mutable_aggregation()
                                  ->mutable_server_optimizer()
                                  ->mutable_schedule();
    schedule.set_kind(v1::Schedule::KIND_COSINE);
    Track track(study, {-1.0f});
    for (int i = 0; i < 500; ++i) track.StepBy(3 - track.weights()[0]);
    EXPECT_NEAR(track.weights()[0], 3, 1e-3) << Rules::Kind_Name(kind);
  }
}

TEST(ServerOptimizerTest, PlainSgdAtRateOneHasTheBitsOfTheMean) {
  Rng rng(3, "mean");
  std::vector<float> weights;
  std::vector<uint32_t> sums;
  for (int i = 0; i < 1000; ++i) {
    weights.push_back(static_cast<float>(rng.Uniform() - 0.5));
    sums.push_back(static_cast<uint32_t>(rng.Next()) >> 4);
  }
  Track track(StudyWith(Rules::KIND_SGD, 1), weights);
  track.Step(sums);
  ApplyMean(sums, kScale, absl::MakeSpan(weights));
  EXPECT_EQ(track.weights(), weights);
}

TEST(ServerOptimizerTest, FirstStepOfAdamIsTheRateWhateverTheScale) {
  for (const double d : {-1e-3, 0.25, 4.0}) {
    Track track(StudyWith(Rules::KIND_ADAM, 0.01), {0});
    track.StepBy(d);
    EXPECT_NEAR(track.weights()[0], d < 0 ? -0.01 : 0.01, 2e-5);
  }
}

// Whatever pieces a track is cut into, and on whatever machine.
TEST(ServerOptimizerTest, PiecesHaveTheBitsOfTheWholeOnEveryMachine) {
  std::string all;
  for (const Rules::Kind kind : kKinds) {
    v1::Study study = StudyWith(kind, 0.01);
    study.mutable_aggregation()->mutable_server_optimizer()->set_clip(0.5);
    Rng rng(11, "pieces");
    std::vector<float> weights;
    for (int i = 0; i < 257; ++i) {
      weights.push_back(static_cast<float>(rng.Uniform() - 0.5));
    }
    Track whole(study, weights);
    std::vector<float> state(whole.state().size());
    const size_t words = state.size() / weights.size();
    for (uint32_t t = 1; t <= 5; ++t) {
      std::vector<uint32_t> sums;
      for (int i = 0; i < 257; ++i) sums.push_back(Word(rng.Uniform() - 0.5));
      whole.Step(sums);
      ServerStep step(study.aggregation().server_optimizer(), 1, t);
      double squares = 0;
      for (size_t at = 0; at < 257; at += 100) {
        AddSquares(absl::MakeSpan(sums).subspan(at, 100), kScale, squares);
      }
      step.Clip(squares);
      for (size_t at = 0; at < 257; at += 31) {
        step.Apply(kWeights, absl::MakeSpan(sums).subspan(at, 31), kScale,
                   absl::MakeSpan(state).subspan(at * words, 31 * words),
                   absl::MakeSpan(weights).subspan(at, 31));
      }
    }
    EXPECT_EQ(whole.weights(), weights) << Rules::Kind_Name(kind);
    EXPECT_EQ(whole.state(), state) << Rules::Kind_Name(kind);
    all.append(reinterpret_cast<const char*>(weights.data()),
               weights.size() * sizeof(float));
  }
  EXPECT_EQ(ToHex(Sha256Of(all)).substr(0, 16), "a66f5185381899cb");
}

// A variance that falls by a tenth of itself a round stays above 0 as a mean.
TEST(ServerOptimizerTest, RunningStatisticsAreAddedAsTheyAre) {
  v1::Study study = StudyWith(Rules::KIND_SGD, 1);
  study.mutable_aggregation()->mutable_server_optimizer()->set_momentum(0.9);
  constexpr ElementRun kStatistics{
      .size = 1, .learned = false, .decays = false};
  Track mean(study, {1}), momentum(study, {1});
  float lowest = 1;
  for (int i = 0; i < 40; ++i) {
    mean.StepBy(-0.1 * mean.weights()[0], kStatistics);
    momentum.StepBy(-0.1 * momentum.weights()[0]);
    lowest = std::min(lowest, momentum.weights()[0]);
    EXPECT_GT(mean.weights()[0], 0);
  }
  EXPECT_LT(lowest, 0);  // what momentum would have made of it
  EXPECT_EQ(mean.state()[0], 0);
}

TEST(ServerOptimizerTest, ClipBoundsTheNormOfTheWholeTracksUpdate) {
  v1::Study study = StudyWith(Rules::KIND_SGD, 1);
  study.mutable_aggregation()->mutable_server_optimizer()->set_clip(1);
  Track large(study, {0, 0}), small(study, {0, 0});
  large.Step({Word(3), Word(-4)});
  EXPECT_NEAR(large.weights()[0], 0.6, 1e-6);
  EXPECT_NEAR(large.weights()[1], -0.8, 1e-6);
  small.Step({Word(0.3), Word(-0.4)});
  EXPECT_NEAR(small.weights()[1], -0.4, 1e-6);
}

TEST(ServerOptimizerTest, DecayIsOfWeightsOnly) {
  v1::Study study = StudyWith(Rules::KIND_ADAMW, 0.1);
  study.mutable_aggregation()->mutable_server_optimizer()->set_weight_decay(
      0.5);
  Track weight(study, {2}), bias(study, {2});
  weight.StepBy(0);
  bias.StepBy(0, {.size = 1, .learned = true, .decays = false});
  EXPECT_NEAR(weight.weights()[0], 2 * 0.95, 1e-6);
  EXPECT_EQ(bias.weights()[0], 2);
}

TEST(ServerOptimizerTest, RatesFollowTheScheduleByRounds) {
  v1::Schedule schedule;
  schedule.set_kind(v1::Schedule::KIND_COSINE);
  schedule.set_warmup_rounds(4);
  schedule.set_final_fraction(0.1);
  EXPECT_EQ(ServerRateFactor(schedule, 104, 1), 0.25);
  EXPECT_EQ(ServerRateFactor(schedule, 104, 4), 1);
  EXPECT_EQ(ServerRateFactor(schedule, 104, 5), 1);
  for (uint32_t round = 5; round <= 104; ++round) {
    const double done = (round - 5) / 100.0;
    EXPECT_NEAR(ServerRateFactor(schedule, 104, round),
                0.1 + 0.9 * (1 + std::cos(M_PI * done)) / 2, 1e-15);
  }
  schedule = v1::Schedule();
  schedule.set_kind(v1::Schedule::KIND_STEP);
  schedule.set_step_rounds(10);
  schedule.set_step_factor(0.5);
  EXPECT_EQ(ServerRateFactor(schedule, 100, 10), 1);
  EXPECT_EQ(ServerRateFactor(schedule, 100, 11), 0.5);
  EXPECT_EQ(ServerRateFactor(schedule, 100, 31), 0.125);
}

TEST(ServerOptimizerTest, RunsTellStatisticsAndWhatDecays) {
  v1::Study study;
  study.add_classes("sick");
  study.add_classes("well");
  study.mutable_model()->set_architecture("resnet18");
  study.mutable_model()->set_trainable(v1::Model::TRAINABLE_ALL);
  study.mutable_model()->set_input_channels(1);
  study.mutable_model()->set_batch_norm(v1::Model::BATCH_NORM_AVERAGED);
  const auto layout = StudyLayout(study);
  ASSERT_TRUE(layout.ok()) << layout.status();
  int64_t all = 0, statistics = 0, decaying = 0;
  for (const ElementRun& run : RunsOf(*layout)) {
    all += run.size;
    statistics += run.learned ? 0 : run.size;
    decaying += run.decays ? run.size : 0;
  }
  int64_t wanted_statistics = 0, wanted_decaying = 0;
  for (const TensorSpec& tensor : layout->travelling) {
    if (!IsLearned(tensor.role)) wanted_statistics += tensor.size();
    if (tensor.role == TensorRole::kWeight) wanted_decaying += tensor.size();
  }
  EXPECT_EQ(all, layout->travelling_size);
  EXPECT_EQ(statistics, wanted_statistics);
  EXPECT_GT(statistics, 0);
  EXPECT_EQ(decaying, wanted_decaying);
}

}  // namespace
}  // namespace hilum
