// SPDX-License-Identifier: Apache-2.0
// Two real processes that share batches, against one.
#include "site_agent/trainer/service/parallel_trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/config/study.h"
#include "common/model/blobs.h"
#include "site_agent/imaging/write_png.h"
#include "site_agent/trainer/service/trainer_child.h"

namespace hilum {
namespace {

class ParallelTrainerTest : public testing::Test {
 protected:
  ParallelTrainerTest()
      : folder_(absl::StrCat(testing::TempDir(), "/parallel-", getpid())) {
    std::filesystem::create_directories(folder_);
    for (const char* label : {"sick", "well"}) study_.add_classes(label);
    study_.set_name("tiny");
    study_.add_sites("here");
    study_.add_arms(v1::ARM_WHOLE);
    study_.mutable_model()->set_input_size(32);
    study_.mutable_model()->set_input_channels(1);
    study_.mutable_cross_validation()->set_folds(2);
    study_.mutable_training()->set_batch_size(6);  // 10 cases: 6 and 4
    WriteCases();
  }
  ~ParallelTrainerTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const {
    return absl::StrCat(folder_, "/", name);
  }

  void WriteCases() {
    std::string rows = "file,label,patient_id\n";
    for (int i = 0; i < 20; ++i) {
      std::vector<uint8_t> pixels(32 * 32);
      for (size_t p = 0; p < pixels.size(); ++p) {
        pixels[p] = static_cast<uint8_t>(p * (i % 2 + 1) / 4 + 3 * i);
      }
      const std::string file = absl::StrCat(i, ".png");
      ASSERT_TRUE(
          WriteFileAtomically(Path(file), *EncodePng8(32, 32, pixels)).ok());
      absl::StrAppend(&rows, file, ",", i % 2 == 0 ? "sick" : "well", ",", i,
                      "\n");
    }
    ASSERT_TRUE(WriteFileAtomically(Path("manifest.csv"), rows).ok());
  }

  void TakeStudy(const char* architecture, v1::Model::BatchNorm batch_norm) {
    study_.mutable_model()->set_architecture(architecture);
    study_.mutable_model()->set_batch_norm(batch_norm);
    FillStudyDefaults(study_);
    const ParameterLayout layout = StudyLayout(study_).value();
    const SplitWeights start =
        SplitInitial(layout, InitialWeights(layout.architecture, 1)).value();
    const int tracks = static_cast<int>(StudyTracks(study_).size());
    ASSERT_TRUE(WriteFileAtomically(
                    Path("global"),
                    BlobBytes(RepeatForTracks(start.travelling, tracks)))
                    .ok());
    ASSERT_TRUE(
        WriteFileAtomically(Path("frozen"), BlobBytes(start.frozen)).ok());
  }

  v1::PrepareRequest PrepareFor(int devices) const {
    v1::PrepareRequest prepare;
    prepare.set_study(SerializeStudy(study_));
    prepare.set_manifest(Path("manifest.csv"));
    prepare.set_site("here");
    prepare.set_patient_key(std::string(32, 'k'));
    prepare.set_threads(1);
    prepare.set_work_dir(folder_);
    for (int i = 0; i < devices; ++i) prepare.add_devices("cpu");
    return prepare;
  }

  absl::StatusOr<v1::TrainResponse> TrainOn(Trainer& trainer,
                                            const std::string& delta) const {
    v1::TrainRequest train;
    train.set_round(1);
    train.set_frozen_path(Path("frozen"));
    train.set_global_path(Path("global"));
    train.set_delta_path(Path(delta));
    return trainer.Train(train);
  }

  // In processes as a site starts them: without network.
  std::vector<float> DeltaWith(int devices) {
    std::vector<std::string> arguments;
    if (devices > 1) arguments = {"--loopback"};
    auto child = StartTrainer(HILUM_BIN_DIR "/hilum-trainer", arguments);
    EXPECT_TRUE(child.ok()) << child.status();
    std::vector<float> delta;
    {
      TrainerClient trainer(std::move(child->socket));
      auto prepared = trainer.Prepare(PrepareFor(devices));
      EXPECT_TRUE(prepared.ok()) << prepared.status();
      auto trained = TrainOn(trainer, "delta");
      EXPECT_TRUE(trained.ok()) << trained.status();
      if (trained.ok()) delta = *BlobValues(*ReadFile(Path("delta")));
    }
    EndTrainer(child->pid);
    return delta;
  }

  void ExpectTwoGiveWhatOneGives() {
    const std::vector<float> one = DeltaWith(1), two = DeltaWith(2);
    ASSERT_EQ(one.size(), two.size());
    ASSERT_FALSE(one.empty());
    float largest = 0, most = 0;
    for (size_t i = 0; i < one.size(); ++i) {
      largest = std::max(largest, std::abs(one[i]));
      most = std::max(most, std::abs(one[i] - two[i]));
    }
    EXPECT_GT(largest, 0);
    EXPECT_LE(most, 1e-3 * largest);
    EXPECT_NE(one, two);  // or they did not share
  }

  const std::string folder_;
  v1::Study study_;
};

TEST_F(ParallelTrainerTest, TwoProcessesLearnWhatOneDoes) {
  TakeStudy("hilum_small", v1::Model::BATCH_NORM_FROZEN);
  ExpectTwoGiveWhatOneGives();
}

TEST_F(ParallelTrainerTest, BatchStatisticsAreThoseOfTheWholeBatch) {
  // One small step: batch normalisation of few values makes the last bits
  // large ones in the steps that follow.
  study_.mutable_training()->set_batch_size(10);
  study_.mutable_training()->mutable_optimizer()->set_learning_rate(1e-3);
  study_.mutable_cross_validation()->set_skip_final_track(true);
  TakeStudy("resnet18", v1::Model::BATCH_NORM_AVERAGED);
  ExpectTwoGiveWhatOneGives();
}

TEST_F(ParallelTrainerTest, ADeadProcessEndsTheCallAndTheNextStartsAnew) {
  TakeStudy("hilum_small", v1::Model::BATCH_NORM_FROZEN);
  std::vector<std::string> lines;
  ParallelTrainer trainer(
      HILUM_BIN_DIR "/hilum-trainer",
      [&](const std::string& line) { lines.push_back(line); });
  ASSERT_TRUE(trainer.Prepare(PrepareFor(2)).ok());
  ASSERT_TRUE(TrainOn(trainer, "first").ok());
  ASSERT_EQ(trainer.ChildPids().size(), 1u);
  kill(trainer.ChildPids()[0], SIGKILL);
  EXPECT_FALSE(TrainOn(trainer, "second").ok());
  const auto third = TrainOn(trainer, "third");
  ASSERT_TRUE(third.ok()) << third.status();
  EXPECT_THAT(lines, testing::Contains(testing::HasSubstr("again")));
  EXPECT_EQ(*ReadFile(Path("first")), *ReadFile(Path("third")));
}

}  // namespace
}  // namespace hilum
