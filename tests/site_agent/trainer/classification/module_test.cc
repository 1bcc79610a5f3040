// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/classification/module.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
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

// Makes dark and bright squares with a little noise.
Batch Squares(uint64_t seed) {
  Rng rng(seed, "squares");
  Batch batch;
  for (int i = 0; i < 8; ++i) {
    batch.labels.push_back(i % 2);
    batch.weights.push_back(1);
    for (int p = 0; p < 32 * 32; ++p) {
      batch.inputs.values.push_back(
          static_cast<float>(0.3 + 0.4 * (i % 2) + 0.1 * rng.Uniform()));
    }
  }
  return batch;
}

// Returns the travelling weights after some steps, and in `losses` each step's.
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
    auto loss = (*module)->TrainBatch(batch, 1, dropout);
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

// Returns a study's module, loaded with its starting weights.
std::unique_ptr<Module> Started(const v1::Study& study) {
  const ParameterLayout layout = *StudyLayout(study);
  auto module = Module::Create(layout, study);
  EXPECT_TRUE(module.ok()) << module.status();
  const SplitWeights start =
      *SplitInitial(layout, InitialWeights(layout.architecture, 7));
  EXPECT_TRUE((*module)->LoadFrozen(start.frozen).ok());
  EXPECT_TRUE((*module)->Load(start.travelling).ok());
  return *std::move(module);
}

double Largest(const std::vector<float>& values) {
  double largest = 0;
  for (float value : values)
    largest = std::max(largest, std::abs(double{value}));
  return largest;
}

double Distance(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  double most = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    most = std::max(most, std::abs(double{a[i]} - b[i]));
  }
  return most;
}

// Trains for some steps from features, and from images.
void ExpectFeaturesGiveTheSame(v1::Study study) {
  Module::SetThreads(1);
  std::unique_ptr<Module> plain = Started(study), cached = Started(study);
  Rng one(1, "dropout"), two(1, "dropout");
  for (uint64_t step = 0; step < 5; ++step) {
    Batch batch = Squares(step);
    Batch features = batch;
    features.inputs.features = true;
    features.inputs.values = *cached->Features(batch.inputs.values);
    EXPECT_EQ(
        features.inputs.values.size(),
        batch.labels.size() * static_cast<size_t>(*cached->FeatureSize()));
    ASSERT_TRUE(plain->TrainBatch(batch, 1, one).ok());
    ASSERT_TRUE(cached->TrainBatch(features, 1, two).ok());
  }
  const std::vector<float> weights = plain->Travelling();
  EXPECT_LE(Distance(weights, cached->Travelling()), 1e-5 * Largest(weights));
}

TEST(ModuleTest, FeaturesOfAFrozenTrunkTrainAsImagesDo) {
  ExpectFeaturesGiveTheSame(Tiny("hilum_small", v1::Model::TRAINABLE_HEAD));
  ExpectFeaturesGiveTheSame(Tiny("resnet18", v1::Model::TRAINABLE_HEAD));
  v1::Study blocks = Tiny("hilum_small", v1::Model::TRAINABLE_LAST_BLOCKS);
  blocks.mutable_model()->set_last_blocks(2);
  ExpectFeaturesGiveTheSame(blocks);
  v1::Study units = Tiny("hilum_small", v1::Model::TRAINABLE_HEAD);
  units.mutable_model()->set_head_units(16);  // with dropout
  ExpectFeaturesGiveTheSame(units);
}

TEST(ModuleTest, SiblingsShareWhatIsFrozenAndNothingElse) {
  const v1::Study study = Tiny("hilum_small", v1::Model::TRAINABLE_HEAD);
  std::unique_ptr<Module> module = Started(study);
  auto sibling = module->CreateSibling();
  ASSERT_TRUE(sibling.ok()) << sibling.status();
  ASSERT_TRUE((*sibling)->Load(module->Travelling()).ok());
  Batch batch = Squares(0);
  EXPECT_EQ(*module->Features(batch.inputs.values),
            *(*sibling)->Features(batch.inputs.values));
  Rng dropout(1, "dropout");
  const std::vector<float> before = module->Travelling();
  ASSERT_TRUE((*sibling)->TrainBatch(batch, 1, dropout).ok());
  EXPECT_EQ(module->Travelling(), before);
  EXPECT_NE((*sibling)->Travelling(), before);
}

TEST(ModuleTest, FrozenBatchNormStaysAndLocalStaysAtHome) {
  v1::Study study = Tiny("resnet18", v1::Model::TRAINABLE_ALL);
  Rng dropout(1, "dropout");
  for (auto mode : {v1::Model::BATCH_NORM_FROZEN, v1::Model::BATCH_NORM_LOCAL,
                    v1::Model::BATCH_NORM_AVERAGED}) {
    study.mutable_model()->set_batch_norm(mode);
    const ParameterLayout layout = *StudyLayout(study);
    std::unique_ptr<Module> module = Started(study);
    const std::vector<float> travelling = module->Travelling();
    const std::vector<float> local = module->Local();
    Batch batch = Squares(0);
    ASSERT_TRUE(module->TrainBatch(batch, 1, dropout).ok());
    EXPECT_NE(module->Travelling(), travelling);
    EXPECT_EQ(local.empty(), mode != v1::Model::BATCH_NORM_LOCAL);
    if (!local.empty()) {
      EXPECT_NE(module->Local(), local);
    }
    // A site's local parameters can be loaded again; Load alone resets them.
    const std::vector<float> kept = module->Local();
    ASSERT_TRUE(module->Load(travelling).ok());
    EXPECT_EQ(module->Local(), local);
    ASSERT_TRUE(module->LoadLocal(kept).ok());
    EXPECT_EQ(module->Local(), kept);
  }
}

TEST(ModuleTest, ABatchInPiecesIsOneStep) {
  v1::Study study = Tiny("hilum_small", v1::Model::TRAINABLE_ALL);
  study.mutable_model()->set_head_units(64);  // with dropout
  Module::SetThreads(1);
  std::unique_ptr<Module> whole = Started(study);
  auto pieces = Module::Create(*StudyLayout(study), study, {.most_at_once = 3});
  ASSERT_TRUE(pieces.ok()) << pieces.status();
  const std::vector<float> before = whole->Travelling();
  ASSERT_TRUE((*pieces)->Load(before).ok());
  Rng one(1, "dropout"), two(1, "dropout");
  for (uint64_t step = 0; step < 3; ++step) {
    Batch batch = Squares(step);  // of 8: 3, 3 and 2
    const auto a = whole->TrainBatch(batch, 1, one);
    const auto b = (*pieces)->TrainBatch(batch, 1, two);
    ASSERT_TRUE(a.ok() && b.ok());
    EXPECT_NEAR(*a, *b, 1e-4 * *a);
  }
  const std::vector<float> after = whole->Travelling();
  EXPECT_LE(Distance(after, (*pieces)->Travelling()),
            1e-3 * Distance(after, before));
}

TEST(ModuleTest, BFloat16IsNearFloat32) {
  const v1::Study study = Tiny("hilum_small", v1::Model::TRAINABLE_ALL);
  const ParameterLayout layout = *StudyLayout(study);
  std::unique_ptr<Module> exact = Started(study);
  auto rough = Module::Create(layout, study, {.device = {}, .bfloat16 = true});
  ASSERT_TRUE(rough.ok());
  ASSERT_TRUE((*rough)->Load(exact->Travelling()).ok());
  Batch batch = Squares(0);
  const std::vector<float> a = *exact->Predict(batch.inputs);
  const std::vector<float> b = *(*rough)->Predict(batch.inputs);
  EXPECT_NE(a, b);
  EXPECT_LE(Distance(a, b), 0.05 * Largest(a));
  Rng dropout(1, "dropout");
  EXPECT_TRUE((*rough)->TrainBatch(batch, 1, dropout).ok());
}

}  // namespace
}  // namespace hilum
