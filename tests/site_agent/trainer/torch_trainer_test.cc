// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/torch_trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>

#include "common/config/census.h"
#include "tests/site_agent/trainer/tiny_site.h"

namespace hilum {
namespace {

class TorchTrainerTest : public TinySiteTest {
 protected:
  TorchTrainerTest() : TinySiteTest(12, 3) { TakeStudy(); }

  // `work_dir`: the features' folder; empty: none are kept.
  void Prepare(TorchTrainer& trainer, uint32_t threads,
               const std::string& work_dir = "") {
    v1::PrepareRequest prepare = PrepareRequest();
    prepare.set_work_dir(work_dir);
    prepare.set_encrypt_features(encrypt_);
    prepare.set_threads(threads);
    absl::StatusOr<v1::PrepareResponse> prepared = trainer.Prepare(prepare);
    ASSERT_TRUE(prepared.ok()) << prepared.status();
  }

  // All results of a trainer with `threads` threads.
  struct Result {
    std::string delta, trained, evaluated, predictions;
    auto operator<=>(const Result&) const = default;
  };
  Result RunWith(uint32_t threads, const std::string& work_dir = "") {
    TorchTrainer trainer;
    Prepare(trainer, threads, work_dir);
    auto trained = trainer.Train(TrainRequest());
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

  // Returns the files of the feature store in a work folder.
  std::vector<std::string> FeatureFiles(const std::string& work_dir) {
    std::vector<std::string> files;
    std::error_code none;
    for (const auto& entry :
         std::filesystem::directory_iterator(work_dir + "/features", none)) {
      files.push_back(entry.path());
    }
    return files;
  }

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
  const absl::Status status = trainer.Train(TrainRequest()).status();
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
    // Trains again, from the kept features.
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
  auto trained = trainer.Train(TrainRequest());
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
  auto trained = trainer.Train(TrainRequest());
  ASSERT_TRUE(trained.ok()) << trained.status();
  // Twelve patients in three folds: eight train a fold's track, all the last.
  for (int t = 0; t < trained->tracks_size(); ++t) {
    const v1::TrackUpdate& track = trained->tracks(t);
    EXPECT_EQ(track.num_examples() + track.validation_examples(),
              t < 3 ? 8u : 12u);
    EXPECT_GT(track.validation_examples(), 0u);
    // The global model is untrained: its loss is about log 2 a case.
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
  std::vector<std::string> deltas;
  for (uint32_t round : {1, 2, 1}) {
    ASSERT_TRUE(trainer.Train(TrainRequest(round)).ok());
    deltas.push_back(*ReadFile(Path("delta")));
  }
  EXPECT_NE(deltas[0], deltas[1]);  // round 2 started from round 1's
  EXPECT_EQ(deltas[0], deltas[2]);  // round 1 again is round 1
}

TEST_F(TorchTrainerTest, LocalBatchNormOfTheBestRoundIsEvaluated) {
  study_.mutable_model()->set_architecture("resnet18");
  study_.mutable_model()->set_batch_norm(v1::Model::BATCH_NORM_LOCAL);
  study_.mutable_model()->set_input_channels(1);
  study_.mutable_cross_validation()->set_folds(2);
  study_.mutable_cross_validation()->set_skip_final_track(true);
  study_.mutable_training()->mutable_validation()->set_share(0.3);
  TakeStudy();
  const std::string work = Path("work");
  std::filesystem::create_directories(work);
  TorchTrainer trainer;
  Prepare(trainer, 2, work);
  v1::TrackChoice first;  // the model after round 1 was the best
  first.set_tried(true);
  first.set_best_round(1);
  const auto evaluated = [&](bool of_the_best) {
    v1::EvaluateRequest evaluate;
    evaluate.set_global_path(Path("global"));
    evaluate.set_frozen_path(Path("frozen"));
    for (int track = 0; of_the_best && track < 2; ++track) {
      *evaluate.add_choices() = first;
    }
    auto response = trainer.Evaluate(evaluate);
    EXPECT_TRUE(response.ok()) << response.status();
    return response->SerializeAsString();
  };
  ASSERT_TRUE(trainer.Train(TrainRequest(1)).ok());
  const std::string after_one = evaluated(false);
  for (uint32_t round : {2, 3, 4}) {
    v1::TrainRequest train = TrainRequest(round);
    if (round > 2) *train.add_choices() = *train.add_choices() = first;
    ASSERT_TRUE(trainer.Train(train).ok());
  }
  EXPECT_NE(evaluated(false), after_one);
  EXPECT_EQ(evaluated(true), after_one);
}

TEST_F(TorchTrainerTest, StoppedTrackIsNeitherTrainedNorTried) {
  study_.mutable_training()->mutable_validation()->set_share(0.3);
  TakeStudy();
  TorchTrainer trainer;
  Prepare(trainer, 1);
  v1::TrainRequest train = TrainRequest(3);
  for (uint32_t stopped_after : {0u, 2u, 0u, 0u}) {
    train.add_choices()->set_stopped_after(stopped_after);
  }
  auto trained = trainer.Train(train);
  ASSERT_TRUE(trained.ok()) << trained.status();
  for (int t = 0; t < 4; ++t) {
    EXPECT_EQ(trained->tracks(t).num_examples() > 0, t != 1) << t;
    EXPECT_EQ(trained->tracks(t).validation_examples() > 0, t != 1) << t;
  }
  const std::string delta = ReadFile(Path("delta")).value();
  const size_t size = delta.size() / 4;
  EXPECT_EQ(delta.substr(size, size), std::string(size, '\0'));
}

// A site with too few cases for one track would add zeros to the track's sum,
// and yet count among the sites that hide each other.
TEST_F(TorchTrainerTest, ArmWithTooFewCasesForATrackIsLeftOutAndSaidSo) {
  study_.mutable_training()->set_local_epochs(1);
  study_.mutable_training()->set_batch_size(16);
  TorchTrainer trainer;
  v1::PrepareRequest prepare = PrepareRequest();
  prepare.set_minimum_steps(12);
  auto prepared = trainer.Prepare(prepare);
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  EXPECT_THAT(prepared->warnings(),
              testing::Contains(testing::HasSubstr(
                  "takes no part in arm whole: a track of it has too few cases "
                  "here for 12 steps a round (policy.minimum_steps)")));
  EXPECT_THAT(prepared->arms(0).fold_class_counts(), testing::Each(0u));
  EXPECT_EQ(prepared->arms(0).without_mask(), 0u);
  auto trained = trainer.Train(TrainRequest());
  ASSERT_TRUE(trained.ok()) << trained.status();
  for (const v1::TrackUpdate& track : trained->tracks()) {
    EXPECT_EQ(track.num_examples(), 0u);
  }
  EXPECT_THAT(*BlobValues(*ReadFile(Path("delta"))), testing::Each(0.0f));
}

// The census counts a track if and only if the site trains it.
TEST_F(TorchTrainerTest, CensusHasTheTracksThatAreTrained) {
  study_.mutable_training()->set_local_epochs(1);
  for (uint32_t steps = 1; steps <= 13; ++steps) {
    TorchTrainer trainer;
    v1::PrepareRequest prepare = PrepareRequest();
    prepare.set_minimum_steps(steps);
    const auto prepared = trainer.Prepare(prepare);
    ASSERT_TRUE(prepared.ok()) << prepared.status();
    const auto trained = trainer.Train(TrainRequest());
    ASSERT_TRUE(trained.ok()) << trained.status();
    const std::vector<Track> tracks = StudyTracks(study_);
    for (size_t t = 0; t < tracks.size(); ++t) {
      uint64_t cases = 0;
      for (uint64_t count :
           TrainingCases(study_, tracks[t], prepared->arms())) {
        cases += count;
      }
      EXPECT_EQ(cases > 0,
                trained->tracks(static_cast<int>(t)).num_examples() > 0)
          << steps << " steps, track " << t;
    }
  }
}

TEST_F(TorchTrainerTest, BatchesAreSmallerWhereThatMakesTheSteps) {
  study_.mutable_training()->set_local_epochs(1);
  study_.mutable_training()->set_batch_size(16);
  TorchTrainer trainer;
  v1::PrepareRequest prepare = PrepareRequest();
  prepare.set_minimum_steps(4);
  const auto prepared = trainer.Prepare(prepare);
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  EXPECT_THAT(prepared->warnings(),
              testing::Contains(testing::HasSubstr(
                  "smaller here than the study's 16, so that each round makes "
                  "4 steps of a track (policy.minimum_steps); cases a batch: "
                  "whole-fold-1")));
  ASSERT_TRUE(trainer.Train(TrainRequest()).ok());
  const std::vector<float> delta = *BlobValues(*ReadFile(Path("delta")));
  // Steps of small batches give another result than one step of all cases.
  prepare.set_minimum_steps(0);
  ASSERT_TRUE(trainer.Prepare(prepare).ok());
  ASSERT_TRUE(trainer.Train(TrainRequest()).ok());
  EXPECT_TRUE(delta != *BlobValues(*ReadFile(Path("delta"))));
}

// The final track trains on the same cases whatever the key deals.
TEST_F(TorchTrainerTest, WhoSharesABatchHangsOnTheSitesKey) {
  study_.mutable_training()->set_batch_size(4);
  const auto final_delta = [this](char key) {
    TorchTrainer trainer;
    v1::PrepareRequest prepare = PrepareRequest();
    prepare.set_patient_key(std::string(32, key));
    EXPECT_TRUE(trainer.Prepare(prepare).ok());
    EXPECT_TRUE(trainer.Train(TrainRequest()).ok());
    const std::string delta = *ReadFile(Path("delta"));
    return delta.substr(delta.size() -
                        delta.size() / StudyTracks(study_).size());
  };
  const std::string ours = final_delta('k');
  EXPECT_TRUE(ours == final_delta('k'));
  EXPECT_TRUE(ours != final_delta('x'));
}

TEST_F(TorchTrainerTest, ADeviceThatIsNotHereIsNamed) {
  TorchTrainer trainer;
  v1::PrepareRequest prepare = PrepareRequest();
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
  v1::PrepareRequest prepare = PrepareRequest();
  auto prepared = trainer.Prepare(prepare);
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  EXPECT_THAT(prepared->warnings(),
              testing::Contains(testing::HasSubstr("rare")));
}

}  // namespace
}  // namespace hilum
