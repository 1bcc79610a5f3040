// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/module.h"

#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "common/config/study.h"
#include "common/model/blobs.h"

namespace hilum {
namespace {

v1::Study Tiny(const char* architecture, v1::Model::Trainable trainable) {
  v1::Study study;
  study.set_name("tiny");
  study.add_classes("dark");
  study.add_classes("bright");
  study.add_sites("a");
  study.mutable_model()->set_architecture(architecture);
  study.mutable_model()->set_trainable(trainable);
  study.mutable_model()->set_input_size(32);
  study.mutable_training()->mutable_optimizer()->set_learning_rate(0.05);
  FillStudyDefaults(study);
  return study;
}

// Dark and bright squares with a little noise.
Batch Squares(uint64_t seed) {
  Rng rng(seed, "squares");
  Batch batch;
  for (int i = 0; i < 8; ++i) {
    batch.labels.push_back(i % 2);
    batch.weights.push_back(1);
    for (int p = 0; p < 32 * 32; ++p) {
      batch.pixels.push_back(
          static_cast<float>(0.3 + 0.4 * (i % 2) + 0.1 * rng.Uniform()));
    }
  }
  return batch;
}

// The travelling weights after some steps; `losses` of each step.
std::vector<float> Learn(const v1::Study& study, std::vector<double>& losses) {
  ParameterLayout layout = *StudyLayout(study);
  Module::SetThreads(1);
  auto module = Module::Create(layout, study);
  EXPECT_TRUE(module.ok()) << module.status();
  SplitWeights start =
      *SplitInitial(layout, InitialWeights(layout.architecture, 7));
  EXPECT_TRUE((*module)->LoadFrozen(start.frozen).ok());
  EXPECT_TRUE((*module)->Load(start.travelling).ok());
  Rng dropout(1, "dropout");
  for (int step = 0; step < 8; ++step) {
    Batch batch = Squares(static_cast<uint64_t>(step));
    auto loss = (*module)->TrainBatch(batch, dropout);
    EXPECT_TRUE(loss.ok()) << loss.status();
    losses.push_back(*loss);
  }
  return (*module)->Travelling();
}

TEST(ModuleTest, LearnsToTellBrightFromDark) {
  std::vector<double> losses;
  Learn(Tiny("hilum_small", v1::Model::TRAINABLE_ALL), losses);
  EXPECT_LT(losses.back(), losses.front() / 2);
}

TEST(ModuleTest, SameSeedGivesTheSameBitsWhateverRunsBeside) {
  v1::Study study = Tiny("hilum_small", v1::Model::TRAINABLE_ALL);
  std::vector<double> unused[3];
  std::vector<float> alone = Learn(study, unused[0]);
  std::vector<float> one, two;
  std::thread first([&] { one = Learn(study, unused[1]); });
  std::thread second([&] { two = Learn(study, unused[2]); });
  first.join();
  second.join();
  EXPECT_EQ(alone, one);
  EXPECT_EQ(alone, two);
}

TEST(ModuleTest, HeadOnlyTravelsAloneAndStillLearns) {
  v1::Study study = Tiny("hilum_small", v1::Model::TRAINABLE_HEAD);
  ParameterLayout layout = *StudyLayout(study);
  EXPECT_EQ(layout.travelling.size(), 2u);
  std::vector<double> losses;
  EXPECT_EQ(Learn(study, losses).size(),
            static_cast<size_t>(layout.travelling_size));
  EXPECT_LT(losses.back(), losses.front());
}

TEST(ModuleTest, Vgg16IsItsTableAndItsHeadTrains) {
  v1::Study study = Tiny("vgg16", v1::Model::TRAINABLE_HEAD);
  study.mutable_training()->mutable_optimizer()->set_kind(
      v1::Optimizer::KIND_ADAM);
  study.mutable_training()->mutable_optimizer()->set_learning_rate(0.001);
  std::vector<double> losses;
  for (float value : Learn(study, losses)) ASSERT_TRUE(std::isfinite(value));
  EXPECT_LT(losses.back(), losses.front());
}

}  // namespace
}  // namespace hilum
