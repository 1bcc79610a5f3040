// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/torch_trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
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
    const SplitWeights start =
        SplitInitial(layout, InitialWeights(layout.architecture, 1)).value();
    const int tracks = static_cast<int>(StudyTracks(study_).size());
    ASSERT_TRUE(
        WriteFileAtomically(Path("global"), BlobBytes(RepeatForTracks(
                                                start.travelling, tracks)))
            .ok());
    ASSERT_TRUE(
        WriteFileAtomically(Path("frozen"), BlobBytes(start.frozen)).ok());
  }

  // `work_dir`: where features are kept; empty: they are not.
  void Prepare(TorchTrainer& trainer, uint32_t threads,
               const std::string& work_dir = "") {
    v1::PrepareRequest prepare;
    prepare.set_work_dir(work_dir);
    prepare.set_encrypt_features(encrypt_);
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
  Result RunWith(uint32_t threads, const std::string& work_dir = "") {
    TorchTrainer trainer;
    Prepare(trainer, threads, work_dir);
    v1::TrainRequest train;
    train.set_round(1);
    train.set_frozen_path(Path("frozen"));
    train.set_global_path(Path("global"));
    train.set_delta_path(Path("delta"));
    auto trained = trainer.Train(train);
    EXPECT_TRUE(trained.ok()) << trained.status();
    v1::EvaluateRequest evaluate;
    evaluate.set_global_path(Path("global"));
    evaluate.set_frozen_path(Path("frozen"));
    evaluate.set_predictions_path(Path("predictions"));
    auto evaluated = trainer.Evaluate(evaluate);
    EXPECT_TRUE(evaluated.ok()) << evaluated.status();
    return {.delta = ReadFile(Path("delta")).value(),
            .trained = trained->SerializeAsString(),
            .evaluated = evaluated->SerializeAsString(),
            .predictions = ReadFile(Path("predictions")).value()};
  }

  // As if submitted anew.
  void TakeStudy() {
    FillStudyDefaults(study_);
    WriteGlobal();
  }
  // Files of the feature store in a work folder.
  std::vector<std::string> FeatureFiles(const std::string& work_dir) {
    std::vector<std::string> files;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(
             work_dir + "/features", none)) {
      files.push_back(entry.path());
    }
    return files;
  }

  const std::string folder_;
  v1::Study study_;
  bool encrypt_ = false;
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
  train.set_round(1);
  train.set_global_path(Path("global"));
  train.set_delta_path(Path("delta"));
  const absl::Status status = trainer.Train(train).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("global"));
}

TEST_F(TorchTrainerTest, KeptFeaturesGiveWhatImagesGive) {
  study_.mutable_model()->set_trainable(v1::Model::TRAINABLE_HEAD);
  study_.mutable_training()->mutable_augmentation()->clear_views();
  TakeStudy();
  ASSERT_GT(study_.training().augmentation().views(), 1u);
  const Result plain = RunWith(2);
  for (bool encrypt : {false, true}) {
    encrypt_ = encrypt;
    const std::string work = Path(encrypt ? "sealed" : "clear");
    std::filesystem::create_directories(work);
    const Result first = RunWith(2, work);
    EXPECT_EQ(FeatureFiles(work).size(), 1u);
    const std::vector<float> a = *BlobValues(plain.delta);
    const std::vector<float> b = *BlobValues(first.delta);
    ASSERT_EQ(a.size(), b.size());
    float largest = 0;
    for (float value : a) largest = std::max(largest, std::abs(value));
    for (size_t i = 0; i < a.size(); ++i) {
      ASSERT_NEAR(a[i], b[i], 1e-5 * largest);
    }
    // Again, from what is kept now.
    EXPECT_TRUE(first == RunWith(1, work));
  }
}

TEST_F(TorchTrainerTest, OtherFrozenWeightsHaveOtherFeatures) {
  study_.mutable_model()->set_trainable(v1::Model::TRAINABLE_HEAD);
  TakeStudy();
  const std::string work = Path("work");
  std::filesystem::create_directories(work);
  RunWith(2, work);
  const std::vector<std::string> before = FeatureFiles(work);
  std::vector<float> frozen = *BlobValues(*ReadFile(Path("frozen")));
  frozen[0] += 0.5f;
  ASSERT_TRUE(WriteFileAtomically(Path("frozen"), BlobBytes(frozen)).ok());
  const Result plain = RunWith(2);
  const Result kept = RunWith(2, work);
  EXPECT_NE(FeatureFiles(work), before);
  EXPECT_EQ(FeatureFiles(work).size(), 1u);  // the others are gone
  EXPECT_EQ(plain.predictions.size(), kept.predictions.size());
  EXPECT_NEAR((*BlobValues(plain.delta))[0], (*BlobValues(kept.delta))[0],
              1e-6);
}

TEST_F(TorchTrainerTest, DamagedFeaturesAreComputedAgain) {
  study_.mutable_model()->set_trainable(v1::Model::TRAINABLE_HEAD);
  TakeStudy();
  const std::string work = Path("work");
  std::filesystem::create_directories(work);
  const Result good = RunWith(2, work);
  const std::string file = FeatureFiles(work).at(0);
  std::string bytes = *ReadFile(file);
  for (size_t i = bytes.size() / 3; i < bytes.size(); i += 700) bytes[i] ^= 1;
  ASSERT_TRUE(WriteFileAtomically(file, bytes).ok());
  const std::vector<float> a = *BlobValues(good.delta);
  const std::vector<float> b = *BlobValues(RunWith(2, work).delta);
  for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 1e-5);
}

TEST_F(TorchTrainerTest, ADivergedTrackIsWithheldAndSaidSo) {
  study_.mutable_training()->mutable_optimizer()->set_learning_rate(100);
  study_.mutable_training()->set_local_epochs(40);
  study_.mutable_training()->set_batch_size(1);
  TakeStudy();
  TorchTrainer trainer;
  Prepare(trainer, 2);
  v1::TrainRequest train;
  train.set_round(1);
  train.set_global_path(Path("global"));
  train.set_delta_path(Path("delta"));
  auto trained = trainer.Train(train);
  ASSERT_TRUE(trained.ok()) << trained.status();
  ASSERT_FALSE(trained->warnings().empty());
  EXPECT_THAT(trained->warnings(0), testing::HasSubstr("not finite"));
  EXPECT_THAT(trained->warnings(0), testing::HasSubstr("withheld"));
  int withheld = 0;
  for (const v1::TrackUpdate& track : trained->tracks()) {
    withheld += track.num_examples() == 0;
  }
  EXPECT_EQ(withheld, trained->warnings_size());
  const std::vector<float> delta = *BlobValues(*ReadFile(Path("delta")));
  for (float value : delta) ASSERT_TRUE(std::isfinite(value));
}

TEST_F(TorchTrainerTest, ValidationCasesAreNotLearnedFrom) {
  study_.mutable_training()->mutable_validation()->set_share(0.25);
  study_.mutable_training()->set_rounds(2);
  TakeStudy();
  TorchTrainer trainer;
  Prepare(trainer, 2);
  v1::TrainRequest train;
  train.set_round(1);
  train.set_global_path(Path("global"));
  train.set_delta_path(Path("delta"));
  auto trained = trainer.Train(train);
  ASSERT_TRUE(trained.ok()) << trained.status();
  // Twelve patients in three folds: eight train a fold's track, all the last.
  for (int t = 0; t < trained->tracks_size(); ++t) {
    const v1::TrackUpdate& track = trained->tracks(t);
    EXPECT_EQ(track.num_examples() + track.validation_examples(),
              t < 3 ? 8u : 12u);
    EXPECT_GT(track.validation_examples(), 0u);
    // Of the global model, which knows nothing: about log 2 a case.
    EXPECT_GT(track.validation_loss_sum() /
                  static_cast<double>(track.validation_examples()),
              0.2);
  }
}

TEST_F(TorchTrainerTest, LocalBatchNormGoesOnWhereItWas) {
  study_.mutable_model()->set_architecture("resnet18");
  study_.mutable_model()->set_batch_norm(v1::Model::BATCH_NORM_LOCAL);
  study_.mutable_model()->set_input_channels(1);
  study_.mutable_cross_validation()->set_folds(2);
  study_.mutable_cross_validation()->set_skip_final_track(true);
  TakeStudy();
  const std::string work = Path("work");
  std::filesystem::create_directories(work);
  TorchTrainer trainer;
  Prepare(trainer, 2, work);
  v1::TrainRequest train;
  train.set_frozen_path(Path("frozen"));
  train.set_global_path(Path("global"));
  train.set_delta_path(Path("delta"));
  std::vector<std::string> deltas;
  for (uint32_t round : {1, 2, 1}) {
    train.set_round(round);
    ASSERT_TRUE(trainer.Train(train).ok());
    deltas.push_back(*ReadFile(Path("delta")));
  }
  EXPECT_NE(deltas[0], deltas[1]);  // round 2 started from round 1's
  EXPECT_EQ(deltas[0], deltas[2]);  // round 1 again is round 1
}

TEST_F(TorchTrainerTest, ADeviceThatIsNotHereIsNamed) {
  TorchTrainer trainer;
  v1::PrepareRequest prepare;
  prepare.set_study(SerializeStudy(study_));
  prepare.set_manifest(Path("manifest.csv"));
  prepare.set_site("here");
  prepare.set_patient_key(std::string(32, 'k'));
  prepare.add_devices("cuda:99");
  absl::Status status = trainer.Prepare(prepare).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("cuda:99"));
  prepare.set_devices(0, "gpu");
  status = trainer.Prepare(prepare).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(TorchTrainerTest, AClassThatNobodyHasIsSaid) {
  study_.add_classes("rare");
  TakeStudy();
  TorchTrainer trainer;
  v1::PrepareRequest prepare;
  prepare.set_study(SerializeStudy(study_));
  prepare.set_manifest(Path("manifest.csv"));
  prepare.set_site("here");
  prepare.set_patient_key(std::string(32, 'k'));
  auto prepared = trainer.Prepare(prepare);
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  EXPECT_THAT(prepared->warnings(),
              testing::Contains(testing::HasSubstr("rare")));
}

}  // namespace
}  // namespace hilum
