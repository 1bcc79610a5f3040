// SPDX-License-Identifier: Apache-2.0
#include "common/model/blobs.h"

#include <numeric>

#include "gtest/gtest.h"

namespace hilum {
namespace {

ParameterLayout SmallLayout(uint32_t last_blocks) {
  v1::Study study;
  for (const char* label : {"a", "b", "c"}) study.add_classes(label);
  study.mutable_model()->set_architecture("hilum_small");
  study.mutable_model()->set_trainable(v1::Model::TRAINABLE_LAST_BLOCKS);
  study.mutable_model()->set_last_blocks(last_blocks);
  return StudyLayout(study).value();
}

TEST(BlobsTest, JoinUndoesSplitForEveryNumberOfBlocks) {
  for (uint32_t blocks = 0; blocks <= 5; ++blocks) {
    const ParameterLayout layout = SmallLayout(blocks);
    std::vector<float> initial(
        static_cast<size_t>(layout.frozen_size + layout.travelling_size));
    std::iota(initial.begin(), initial.end(), 0.0f);
    auto split = SplitInitial(layout, initial);
    ASSERT_TRUE(split.ok()) << split.status();
    EXPECT_EQ(split->frozen.size(), static_cast<size_t>(layout.frozen_size));
    auto joined = JoinModel(layout, split->frozen, split->travelling);
    ASSERT_TRUE(joined.ok()) << joined.status();
    EXPECT_EQ(*joined, initial);
  }
}

// Frozen tensors lie between the travelling tensors of the trained blocks.
TEST(BlobsTest, JoinUndoesSplitAroundBatchNormThatStays) {
  v1::Study study;
  for (const char* label : {"a", "b", "c"}) study.add_classes(label);
  study.mutable_model()->set_architecture("resnet18");
  study.mutable_model()->set_trainable(v1::Model::TRAINABLE_LAST_BLOCKS);
  study.mutable_model()->set_last_blocks(1);
  study.mutable_model()->set_batch_norm(v1::Model::BATCH_NORM_LOCAL);
  const ParameterLayout layout = StudyLayout(study).value();
  std::vector<float> initial(
      static_cast<size_t>(layout.frozen_size + layout.travelling_size));
  std::iota(initial.begin(), initial.end(), 0.0f);
  const SplitWeights split = SplitInitial(layout, initial).value();
  EXPECT_EQ(split.frozen.size(), static_cast<size_t>(layout.frozen_size));
  EXPECT_EQ(JoinModel(layout, split.frozen, split.travelling).value(), initial);
}

TEST(BlobsTest, WrongLengthsAreRefused) {
  const ParameterLayout layout = SmallLayout(1);
  const std::vector<float> few(10);
  EXPECT_EQ(SplitInitial(layout, few).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(JoinModel(layout, few, few).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(BlobsTest, TracksStartAlikeAndBytesComeBack) {
  const std::vector<float> global = RepeatForTracks({1.5f, -2.0f}, 3);
  EXPECT_EQ(global,
            (std::vector<float>{1.5f, -2.0f, 1.5f, -2.0f, 1.5f, -2.0f}));
  auto back = BlobValues(BlobBytes(global));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, global);
  EXPECT_FALSE(BlobValues("12345").ok());
}

TEST(BlobsTest, BytesAreLittleEndianFloat32) {
  const std::vector<float> one = {1.0f};
  EXPECT_EQ(BlobBytes(one), absl::string_view("\0\0\x80\x3f", 4));
}

}  // namespace
}  // namespace hilum
