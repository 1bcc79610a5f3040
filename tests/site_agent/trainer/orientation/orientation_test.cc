// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <set>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/model/safetensors.h"
#include "site_agent/imaging/pictures/write_png.h"
#include "site_agent/imaging/upright/find_orientation.h"
#include "site_agent/imaging/upright/shipped_orientation.h"
#include "site_agent/trainer/orientation/negatives.h"
#include "site_agent/trainer/orientation/orientation_cases.h"
#include "site_agent/trainer/orientation/orientation_learner.h"
#include "site_agent/trainer/orientation/score_orientation.h"
#include "site_agent/trainer/orientation/train_orientation.h"

namespace hilum {
namespace {

using testing::HasSubstr;

constexpr size_t kPixels = size_t{kOrientationSide} * kOrientationSide;

std::vector<float> Pictures(int count, uint64_t seed) {
  Rng rng(seed, "pictures");
  std::vector<float> pixels;
  for (int i = 0; i < count; ++i) AppendNegative(rng, pixels);
  return pixels;
}

// Compares hilum-ingest's plain C++ network with Torch.
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
  // The slope is dark at the top; the last picture has no orientation.
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
  // The picture without orientation costs ln 8 / 5, which cannot be learned.
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

class OrientationTrainingTest : public testing::Test {
 protected:
  OrientationTrainingTest()
      : folder_(absl::StrCat(testing::TempDir(), "/orientation_", getpid())) {
    std::filesystem::remove_all(folder_);
    EXPECT_TRUE(MakeDirectories(folder_).ok());
    std::string csv = "file,label,patient_id\n";
    for (int n = 0; n < 40; ++n) {
      std::vector<uint8_t> pixels;
      for (int i = 0; i < 60 * 50; ++i) {
        const int row = i / 50, column = i % 50;
        pixels.push_back(
            static_cast<uint8_t>(row * 3 + (column < 20 ? 30 : 0) + n));
      }
      Write(absl::StrCat(n, ".png"), *EncodePng8(60, 50, pixels));
      absl::StrAppend(&csv, n, ".png,any,p", n / 2, "\n");
    }
    Write("cases.csv", csv + "gone.png,any,p0\n");
  }
  ~OrientationTrainingTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(absl::string_view name) const {
    return absl::StrCat(folder_, "/", name);
  }
  void Write(const std::string& name, const std::string& bytes) {
    EXPECT_TRUE(WriteFileAtomically(Path(name), bytes, Durability::kNone).ok());
  }
  absl::Status Train(const std::string& name, int threads) {
    return TrainOrientation({.data = Path("cases.csv"),
                             .out = Path(name),
                             .epochs = 2,
                             .folds = 5,
                             .threads = threads},
                            RealClock(), said_);
  }

  const std::string folder_;
  std::ostringstream said_;
};

TEST_F(OrientationTrainingTest, TheSameSeedGivesTheSameFile) {
  ASSERT_TRUE(Train("a.safetensors", 1).ok()) << said_.str();
  EXPECT_THAT(said_.str(), HasSubstr("40 images of 20 patients"));
  EXPECT_THAT(said_.str(), HasSubstr("row 42, left out"));
  EXPECT_THAT(said_.str(), HasSubstr("fold 5 of 5: epoch 2 of 2"));
  ASSERT_TRUE(Train("b.safetensors", 1).ok());
  EXPECT_EQ(*ReadFile(Path("a.safetensors")), *ReadFile(Path("b.safetensors")));
  std::ostringstream out;
  ASSERT_TRUE(
      ScoreOrientation(Path("cases.csv"), Path("a.safetensors"), 2, out).ok());
  EXPECT_THAT(out.str(), HasSubstr("mirrored and turned by 180 degrees"));
}

TEST_F(OrientationTrainingTest, WrongOptionsAreSaidBeforeTheTimeIsSpent) {
  for (const OrientationTraining& wrong :
       {OrientationTraining{.data = Path("cases.csv"), .out = "x.pth"},
        OrientationTraining{.data = Path("cases.csv"),
        .out = Path("no/x.safetensors")},
        OrientationTraining{.data = Path("none.csv"),
        .out = Path("x.safetensors")},
        OrientationTraining{.data = Path("cases.csv"),
        .out = Path("x.safetensors"),
        .folds = 1}}) {
    EXPECT_FALSE(TrainOrientation(wrong, RealClock(), said_).ok());
  }
}

TEST(OrientationCasesTest, APatientIsInOneFoldAndAllFoldsHaveSome) {
  std::set<int> folds;
  for (int i = 0; i < 100; ++i) {
    const std::string patient = absl::StrCat("p", i);
    const int fold = OrientationFold(patient, 5, 1);
    EXPECT_EQ(fold, OrientationFold(patient, 5, 1));
    folds.insert(fold);
  }
  EXPECT_EQ(folds, (std::set<int>{0, 1, 2, 3, 4}));
}

// Two of 100 upright images stopped: Wilson's interval is 0.55 to 7.00 %.
TEST(ScoreOrientationTest, SharesHaveTheirInterval) {
  std::vector<ShownImage> images(100);
  images[3].turns[0].turned = images[7].turns[0].turned = 99;
  std::ostringstream out;
  PrintShownImages(images, {"any"}, out);
  EXPECT_THAT(out.str(), HasSubstr("2 (2.00 %, 0.55 to 7.00)"));
  EXPECT_THAT(out.str(), HasSubstr("turned: 99.00 99.00 0.00"));
}

}  // namespace
}  // namespace hilum
