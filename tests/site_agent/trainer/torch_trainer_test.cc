// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/torch_trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/config/study.h"
#include "common/model/architecture.h"
#include "common/model/blobs.h"
#include "site_agent/imaging/write_png.h"

namespace hilum {
namespace {

class TorchTrainerTest : public testing::Test {
 protected:
  TorchTrainerTest()
      : folder_(absl::StrCat(testing::TempDir(), "/torch-", getpid())) {
    std::filesystem::create_directories(folder_);
    for (const char* label : {"sick", "well"}) study_.add_classes(label);
    study_.set_name("tiny");
    study_.add_sites("here");
    study_.add_arms(v1::ARM_WHOLE);
    study_.mutable_model()->set_input_size(32);
    study_.mutable_cross_validation()->set_folds(3);
    FillStudyDefaults(study_);
    WriteCases();
    WriteGlobal();
  }
  ~TorchTrainerTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const {
    return absl::StrCat(folder_, "/", name);
  }

  void WriteCases() {
    std::string rows = "file,label,patient_id\n";
    for (int i = 0; i < 12; ++i) {
      std::vector<uint8_t> pixels(32 * 32);
      for (size_t p = 0; p < pixels.size(); ++p) {
        pixels[p] = static_cast<uint8_t>(p * (i % 2 + 1) / 4 + i);
      }
      const std::string file = absl::StrCat(i, ".png");
      ASSERT_TRUE(
          WriteFileAtomically(Path(file), *EncodePng8(32, 32, pixels)).ok());
      absl::StrAppend(&rows, file, ",", i % 2 == 0 ? "sick" : "well", ",", i,
                      "\n");
    }
    ASSERT_TRUE(WriteFileAtomically(Path("manifest.csv"), rows).ok());
  }

  void WriteGlobal() {
    const ParameterLayout layout = StudyLayout(study_).value();
    std::vector<float> weights = InitialWeights(layout.architecture, 1);
    ASSERT_TRUE(WriteFileAtomically(
                    Path("global"),
                    BlobBytes(RepeatForTracks(
                        weights, static_cast<int>(StudyTracks(study_).size()))))
                    .ok());
  }

  void Prepare(TorchTrainer& trainer, uint32_t threads) {
    v1::PrepareRequest prepare;
    prepare.set_study(SerializeStudy(study_));
    prepare.set_manifest(Path("manifest.csv"));
    prepare.set_site("here");
    prepare.set_patient_key(std::string(32, 'k'));
    prepare.set_threads(threads);
    absl::StatusOr<v1::PrepareResponse> prepared = trainer.Prepare(prepare);
    ASSERT_TRUE(prepared.ok()) << prepared.status();
  }

  // All that a trainer with so many threads gives.
  struct Result {
    std::string delta, trained, evaluated, predictions;
    auto operator<=>(const Result&) const = default;
  };
  Result RunWith(uint32_t threads) {
    TorchTrainer trainer;
    Prepare(trainer, threads);
    v1::TrainRequest train;
    train.set_round(1);
    train.set_global_path(Path("global"));
    train.set_delta_path(Path("delta"));
    auto trained = trainer.Train(train);
    EXPECT_TRUE(trained.ok()) << trained.status();
    v1::EvaluateRequest evaluate;
    evaluate.set_global_path(Path("global"));
    evaluate.set_predictions_path(Path("predictions"));
    auto evaluated = trainer.Evaluate(evaluate);
    EXPECT_TRUE(evaluated.ok()) << evaluated.status();
    return {.delta = ReadFile(Path("delta")).value(),
            .trained = trained->SerializeAsString(),
            .evaluated = evaluated->SerializeAsString(),
            .predictions = ReadFile(Path("predictions")).value()};
  }

  const std::string folder_;
  v1::Study study_;
};

TEST_F(TorchTrainerTest, NumberOfThreadsDoesNotChangeABit) {
  const Result one = RunWith(1);
  EXPECT_FALSE(one.delta.empty());
  EXPECT_EQ(std::count(one.predictions.begin(), one.predictions.end(), '\n'),
            1 + 12);
  EXPECT_TRUE(one == RunWith(3));
  EXPECT_TRUE(one == RunWith(16));  // more than there are tracks
}

TEST_F(TorchTrainerTest, ShortGlobalBlobIsNamed) {
  ASSERT_TRUE(WriteFileAtomically(Path("global"), "0123").ok());
  TorchTrainer trainer;
  Prepare(trainer, 2);
  v1::TrainRequest train;
  train.set_global_path(Path("global"));
  train.set_delta_path(Path("delta"));
  const absl::Status status = trainer.Train(train).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("global"));
}

}  // namespace
}  // namespace hilum
