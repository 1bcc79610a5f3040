// SPDX-License-Identifier: Apache-2.0
// Compares two real processes that share batches with one process.
#include "site_agent/trainer/parallel_trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cmath>

#include "site_agent/trainer/service/trainer_child.h"
#include "tests/site_agent/trainer/tiny_site.h"

namespace hilum {
namespace {

class ParallelTrainerTest : public TinySiteTest {
 protected:
  // A fold's track trains on 10 of the 20 cases, in batches of 6 and 4.
  ParallelTrainerTest() : TinySiteTest(20, 2) {
    study_.mutable_model()->set_input_channels(1);
    study_.mutable_training()->set_batch_size(6);
  }

  void TakeStudyOf(const char* architecture, v1::Model::BatchNorm batch_norm) {
    study_.mutable_model()->set_architecture(architecture);
    study_.mutable_model()->set_batch_norm(batch_norm);
    TakeStudy();
  }

  v1::PrepareRequest PrepareFor(int devices) const {
    v1::PrepareRequest prepare = PrepareRequest();
    prepare.set_work_dir(folder_);
    for (int i = 0; i < devices; ++i) prepare.add_devices("cpu");
    return prepare;
  }

  absl::StatusOr<v1::TrainResponse> TrainOn(Trainer& trainer,
                                            const std::string& delta) const {
    v1::TrainRequest train = TrainRequest();
    train.set_delta_path(Path(delta));
    return trainer.Train(train);
  }

  // The processes run without network, as at a site.
  std::vector<float> DeltaWith(int devices) {
    std::vector<std::string> arguments = {
        "--manifest", PrepareRequest().manifest(), "--read", folder_, "--work",
        folder_};
    if (devices > 1) arguments.push_back("--loopback");
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
    EXPECT_NE(one, two);  // otherwise they did not share
  }
};

TEST_F(ParallelTrainerTest, TwoProcessesLearnWhatOneDoes) {
  TakeStudyOf("hilum_small", v1::Model::BATCH_NORM_FROZEN);
  ExpectTwoGiveWhatOneGives();
}

TEST_F(ParallelTrainerTest, BatchStatisticsAreThoseOfTheWholeBatch) {
  // Makes one small step: batch normalisation over few values would make the
  // last bits matter in further steps.
  study_.mutable_training()->set_batch_size(10);
  study_.mutable_training()->mutable_optimizer()->set_learning_rate(1e-3);
  study_.mutable_cross_validation()->set_skip_final_track(true);
  TakeStudyOf("resnet18", v1::Model::BATCH_NORM_AVERAGED);
  ExpectTwoGiveWhatOneGives();
}

TEST_F(ParallelTrainerTest, ADeadProcessEndsTheCallAndTheNextStartsAnew) {
  TakeStudyOf("hilum_small", v1::Model::BATCH_NORM_FROZEN);
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
