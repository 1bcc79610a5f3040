// SPDX-License-Identifier: Apache-2.0
#include "coordinator/round_models.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

// Two tracks of one element each.
class RoundModelsTest : public testing::Test {
 protected:
  RoundModelsTest() {
    study_.mutable_training()->mutable_validation()->set_share(0.2);
    before_.global = Put("aaaabbbb");
  }
  ~RoundModelsTest() override { std::filesystem::remove_all(folder_); }

  v1::BlobRef Put(const std::string& bytes) {
    v1::BlobRef ref;
    ref.set_sha256(blobs_.Put(bytes).value());
    ref.set_size(bytes.size());
    return ref;
  }
  std::string Bytes(const v1::BlobRef& blob) {
    return blobs_.Read(blob.sha256(), 0, blob.size()).value().data;
  }
  // Ends the next round, whose trained models are `global`; NaN: not tried.
  void Round(const std::string& global, double first, double second) {
    AggregateResult result{.sha256 = Put(global).sha256(),
                           .num_bytes = global.size()};
    result.tracks = {{4, 1, first}, {4, 1, second}};
    auto after = ModelsAfter(study_, ++round_, before_, result,
                             {.track_size = 1, .num_tracks = 2}, blobs_, "x");
    ASSERT_TRUE(after.ok()) << after.status();
    EXPECT_EQ(Bytes(after->global), global);
    before_ = *std::move(after);
  }

  const std::string folder_ = absl::StrCat(
      testing::TempDir(), "/round-models-", getpid(), "-",
      testing::UnitTest::GetInstance()->current_test_info()->name());
  BlobStore blobs_ = BlobStore::Open(folder_).value();
  v1::Study study_;
  RoundModels before_;
  uint32_t round_ = 0;
};

TEST_F(RoundModelsTest, ChosenModelsAreOfTheRoundsOfTheirTracks) {
  const double none = std::nan("");
  Round("ccccdddd", none, none);
  EXPECT_EQ(before_.best.size(), 0u);
  // Both are tried: the models with which round 2 began.
  Round("eeeeffff", 0.5, 0.5);
  EXPECT_EQ(Bytes(before_.best), "ccccdddd");
  Round("gggghhhh", 0.25, 0.75);
  EXPECT_EQ(Bytes(before_.best), "eeeedddd");
  Round("iiiijjjj", 0.75, none);
  EXPECT_EQ(Bytes(before_.best), "eeeedddd");
  Round("kkkkllll", 0.125, 0.25);
  EXPECT_EQ(Bytes(before_.best), "iiiijjjj");
}

TEST_F(RoundModelsTest, TrackThatWasNotTriedHasItsLastModel) {
  const double none = std::nan("");
  Round("ccccdddd", 0.5, none);
  EXPECT_EQ(Bytes(before_.best), "aaaadddd");
  Round("eeeeffff", 0.75, none);
  EXPECT_EQ(Bytes(before_.best), "aaaaffff");
}

TEST_F(RoundModelsTest, StudyWithoutValidationChoosesNothing) {
  study_.clear_training();
  Round("ccccdddd", std::nan(""), std::nan(""));
  EXPECT_EQ(before_.best.size(), 0u);
  EXPECT_TRUE(before_.choices.empty());
}

}  // namespace
}  // namespace hilum
