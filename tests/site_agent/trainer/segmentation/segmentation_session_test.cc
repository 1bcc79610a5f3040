// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/segmentation/segmentation_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "common/model/lungs_unet.h"
#include "common/model/safetensors.h"
#include "site_agent/trainer/segmentation/command/segment_image.h"
#include "tests/site_agent/trainer/segmentation/lung_site.h"

namespace hilum {
namespace {

using testing::Contains;
using testing::HasSubstr;

using SegmentationSessionTest = LungSiteTest;

// All results of a trainer with `threads` threads.
struct Result {
  std::string delta, trained, evaluated, predictions;
  auto operator<=>(const Result&) const = default;
};

TEST_F(SegmentationSessionTest, NumberOfThreadsDoesNotChangeABit) {
  WriteSite("a", 0, 12);
  study_.mutable_training()->mutable_validation()->set_share(0.3);
  TakeStudy();
  std::vector<Result> results;
  for (uint32_t threads : {1, 2, 16}) {
    TorchTrainer trainer;
    Prepare(trainer, "a", threads);
    Result& result = results.emplace_back();
    result.trained = Train(trainer, 2).SerializeAsString();
    result.evaluated = Evaluate(trainer).SerializeAsString();
    result.delta = *ReadFile(Path("delta"));
    result.predictions = *ReadFile(Path("predictions"));
  }
  EXPECT_EQ(results[0].delta.size(), ReadFile(Path("global"))->size());
  EXPECT_TRUE(results[0] == results[1]);
  EXPECT_TRUE(results[0] == results[2]);
}

TEST_F(SegmentationSessionTest, CasesWithoutMaskAreInNoPart) {
  WriteSite("a", 0, 12);
  TakeStudy();
  TorchTrainer all;
  Prepare(all, "a");
  EXPECT_EQ(Train(all, 1).tracks(2).num_examples(), 12u);
  // The first two patients have no mask.
  WriteSite("a", 0, 12, /*without=*/6);
  TorchTrainer some;
  auto prepared = some.Prepare(PrepareRequest("a"));
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  EXPECT_EQ(prepared->arms(0).without_mask(), 6u);
  EXPECT_THAT(prepared->warnings(), Contains(HasSubstr("6 of 12 cases")));
  EXPECT_EQ(Train(some, 1).tracks(2).num_examples(), 6u);
  uint64_t tried = 0;
  const v1::EvaluateResponse evaluated = Evaluate(some);
  for (const v1::TrackEvaluation& track : evaluated.tracks()) {
    tried += track.overlaps(2).cases();
  }
  EXPECT_EQ(tried, 6u);
  EXPECT_THAT(*ReadFile(Path("predictions")),
              testing::Not(HasSubstr("a5.png")));
}

TEST_F(SegmentationSessionTest, ASiteWithoutAnyMaskGivesNothing) {
  WriteSite("a", 0, 6, /*without=*/6);
  TakeStudy();
  TorchTrainer trainer;
  Prepare(trainer, "a");
  const v1::TrainResponse trained = Train(trainer, 1);
  for (const v1::TrackUpdate& track : trained.tracks()) {
    EXPECT_EQ(track.num_examples(), 0u);
  }
  EXPECT_THAT(ReadBlob("delta"), testing::Each(0.0f));
  EXPECT_EQ(Evaluate(trainer).tracks(0).overlaps(2).patients(), 0u);
}

// Too large a step gives such weights.
TEST_F(SegmentationSessionTest, ADivergedTrackIsWithheldAndSaidSo) {
  WriteSite("a", 0, 12);
  TakeStudy();
  const std::vector<float> start = ReadBlob("global");
  const size_t size = start.size() / tracks_.size();
  TorchTrainer trainer;
  Prepare(trainer, "a");
  std::vector<float> odd = start;
  odd[2 * size - 1] = 3e38f;  // fold 2's bias: the loss is not finite
  // The final track's first kernel: the loss stays finite, a running variance
  // does not.
  for (size_t i = 0; i < 9; ++i) odd[2 * size + i] *= 1e25f;
  WriteGlobal(odd);
  const v1::TrainResponse trained = Train(trainer, 1);
  ASSERT_EQ(trained.warnings_size(), 2);
  EXPECT_THAT(trained.warnings(0), HasSubstr("whole-fold-2, local epoch 1"));
  EXPECT_THAT(trained.warnings(1), HasSubstr("whole-final: weights"));
  for (const std::string& warning : trained.warnings()) {
    EXPECT_THAT(warning, HasSubstr("not finite"));
    EXPECT_THAT(warning, HasSubstr("withheld"));
  }
  EXPECT_GT(trained.tracks(0).num_examples(), 0u);
  EXPECT_EQ(trained.tracks(1).num_examples(), 0u);
  EXPECT_EQ(trained.tracks(2).num_examples(), 0u);
  const std::vector<float> delta = ReadBlob("delta");
  ASSERT_EQ(delta.size(), start.size());
  EXPECT_NE(PartOf(delta, 0), std::vector<float>(size));
  EXPECT_EQ(PartOf(delta, 1), std::vector<float>(size));
  EXPECT_EQ(PartOf(delta, 2), std::vector<float>(size));
}

// An update's range limits the change; a distant value comes nearer in each
// round.
TEST_F(SegmentationSessionTest, RunningStatisticsMoveAsFarAsUpdatesReach) {
  WriteSite("a", 0, 12);
  TakeStudy();
  std::vector<float> global = ReadBlob("global");
  size_t at = 0;  // the first running variance
  for (const TensorSpec& spec : layout_.architecture.tensors) {
    if (spec.role == TensorRole::kRunningVariance) break;
    at += static_cast<size_t>(spec.size());
  }
  global[at] = 1000;  // fold 1's track
  WriteGlobal(global);
  TorchTrainer trainer;
  Prepare(trainer, "a");
  EXPECT_EQ(Train(trainer, 1).warnings_size(), 0);
  const std::vector<float> delta = ReadBlob("delta");
  EXPECT_EQ(delta[at], -16);
  for (float value : delta) EXPECT_LE(std::abs(value), 16);
}

TEST_F(SegmentationSessionTest, SeveralDevicesAreRefused) {
  WriteSite("a", 0, 6);
  TakeStudy();
  v1::PrepareRequest prepare = PrepareRequest("a");
  prepare.add_devices("cpu");
  TorchTrainer trainer;
  EXPECT_TRUE(trainer.Prepare(prepare).ok());
  prepare.add_devices("cpu");
  TorchTrainer first({.ranks = {.rank = 0, .size = 2}});
  for (TorchTrainer* one : {&trainer, &first}) {
    const absl::Status status = one->Prepare(prepare).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("one device"));
  }
}

TEST_F(SegmentationSessionTest, ItsModelIsWhatSegmentRunTakes) {
  TakeStudy();
  const std::vector<float> model = PartOf(ReadBlob("global"), 1);
  const std::string path = Path("lungs-0.safetensors");
  ASSERT_TRUE(WriteSafetensors(path, layout_.architecture, model, {}).ok());
  EXPECT_THAT(std::string(LoadSegmenter(path).status().message()),
              HasSubstr("hilum.segmenter.size"));
  ASSERT_TRUE(WriteSafetensors(path, layout_.architecture, model,
                               {{std::string(kSegmenterSizeKey), "32"}})
                  .ok());
  const auto segmenter = LoadSegmenter(path);
  ASSERT_TRUE(segmenter.ok()) << segmenter.status();
  EXPECT_EQ((*segmenter)->Weights(), model);
}

}  // namespace
}  // namespace hilum
