// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/orientation/orientation_learner.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/model/safetensors.h"
#include "site_agent/imaging/upright/find_orientation.h"
#include "site_agent/imaging/upright/shipped_orientation.h"
#include "site_agent/trainer/orientation/negatives.h"

namespace hilum {
namespace {

constexpr size_t kPixels = size_t{kOrientationSide} * kOrientationSide;

std::vector<float> Pictures(int count, uint64_t seed) {
  Rng rng(seed, "pictures");
  std::vector<float> pixels;
  for (int i = 0; i < count; ++i) AppendNegative(rng, pixels);
  return pixels;
}

// Plain C++, that of hilum-ingest, against Torch.
void ExpectAgreement(absl::Span<const float> weights) {
  auto network = OrientationNetwork::Create(weights);
  ASSERT_TRUE(network.ok()) << network.status();
  const std::vector<float> pixels = Pictures(12, 3);
  auto torch = TorchOrientationScores(weights, pixels);
  ASSERT_TRUE(torch.ok()) << torch.status();
  ASSERT_EQ(torch->size(), 12u);
  for (size_t i = 0; i < torch->size(); ++i) {
    const float plain = network->Score(
        absl::MakeConstSpan(pixels).subspan(i * kPixels, kPixels));
    EXPECT_NEAR(plain, (*torch)[i], 1e-4 * (1 + std::abs((*torch)[i]))) << i;
  }
}

TEST(OrientationLearnerTest, PlainCodeAndTorchAgree) {
  ExpectAgreement(InitialWeights(OrientationArchitecture(), 5));
  auto shipped = SafetensorsNumbers(ShippedOrientationFile());
  ASSERT_TRUE(shipped.ok());
  ExpectAgreement(*shipped);
}

TEST(OrientationLearnerTest, WhatIsShippedIsTheTableAndItsNumbersInOrder) {
  auto path = absl::StrCat(testing::TempDir(), "/orientation.safetensors");
  ASSERT_TRUE(
      WriteFileAtomically(path, ShippedOrientationFile(), Durability::kNone)
          .ok());
  auto by_name = ReadSafetensors(path, OrientationArchitecture());
  ASSERT_TRUE(by_name.ok()) << by_name.status();
  EXPECT_EQ(*by_name, *SafetensorsNumbers(ShippedOrientationFile()));
}

TEST(OrientationLearnerTest, OneThatHasLearnedAgreesToo) {
  v1::Training training;
  training.mutable_optimizer()->set_kind(v1::Optimizer::KIND_ADAMW);
  training.mutable_optimizer()->set_learning_rate(1e-2);
  auto learner = OrientationLearner::Create(1, training);
  ASSERT_TRUE(learner.ok()) << learner.status();
  Rng rng(1, "dropping");
  // A slope is dark at the top, and the last picture is of nothing.
  std::vector<float> pixels;
  for (size_t i = 0; i < 4 * kPixels; ++i) {
    pixels.push_back(static_cast<float>(i % kPixels) / kPixels);
  }
  pixels.resize(5 * kPixels);
  double first = 0, last = 0;
  for (int step = 0; step < 60; ++step) {
    auto loss = (*learner)->TrainBatch(pixels, 4, 1, rng);
    ASSERT_TRUE(loss.ok()) << loss.status();
    (step == 0 ? first : last) = *loss;
  }
  // ln 8 / 5 of the last loss cannot be learned away.
  EXPECT_LT(last, first / 2);
  const std::vector<float> weights = (*learner)->Weights();
  ExpectAgreement(weights);
  auto network = OrientationNetwork::Create(weights);
  ASSERT_TRUE(network.ok());
  const OrientationVerdict verdict = FindOrientation(
      *network, TurnPixels(kOrientationSide, kOrientationSide,
                           absl::MakeConstSpan(pixels).subspan(0, kPixels),
                           Turn{2, false}));
  EXPECT_EQ(verdict.turn.quarters, 2);
}

}  // namespace
}  // namespace hilum
