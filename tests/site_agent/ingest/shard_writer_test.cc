// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/shard_writer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

namespace fs = std::filesystem;

class ShardWriterTest : public testing::Test {
 protected:
  ShardWriterTest()
      : store_(absl::StrCat(testing::TempDir(), "/shard_writer_", getpid())) {
    fs::remove_all(store_);
  }
  ~ShardWriterTest() override { fs::remove_all(store_); }

  std::string Shard(int number) const {
    return absl::StrCat(store_, "/shards/000", number, ".shard");
  }
  std::string BytesOf(int number) const {
    return ReadFile(Shard(number)).value_or("none");
  }

  std::string store_;
};

TEST_F(ShardWriterTest, RecordsFollowEachOtherAndPlacesSayWhere) {
  auto writer = ShardWriter::Open(store_, {});
  ASSERT_TRUE(writer.ok()) << writer.status();
  EXPECT_EQ(writer->Append("abc")->bytes, 0u);
  const ShardEnd second = writer->Append("de").value();
  EXPECT_EQ(second.number, 1);
  EXPECT_EQ(second.bytes, 3u);
  ASSERT_TRUE(writer->Sync().ok());
  EXPECT_EQ(writer->end().bytes, 5u);
  EXPECT_EQ(BytesOf(1), "abcde");
}

TEST_F(ShardWriterTest, WhatNobodyNotedIsCutOff) {
  {
    auto writer = ShardWriter::Open(store_, {});
    ASSERT_TRUE(writer->Append("abcde").ok());
  }
  ASSERT_TRUE(WriteFileAtomically(Shard(2), "torn", Durability::kNone).ok());
  auto writer = ShardWriter::Open(store_, {1, 3});
  ASSERT_TRUE(writer.ok()) << writer.status();
  EXPECT_EQ(BytesOf(1), "abc");
  EXPECT_FALSE(fs::exists(Shard(2)));
  EXPECT_EQ(writer->Append("X")->bytes, 3u);
  EXPECT_EQ(BytesOf(1), "abcX");
}

TEST_F(ShardWriterTest, AShardThatIsShorterThanNotedIsDataLossAndUntouched) {
  {
    auto writer = ShardWriter::Open(store_, {});
    ASSERT_TRUE(writer->Append("abc").ok());
  }
  const absl::Status status = ShardWriter::Open(store_, {1, 4}).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "0001.shard")) << status;
  EXPECT_EQ(BytesOf(1), "abc");
}

TEST_F(ShardWriterTest, AFullShardBeginsTheNext) {
  fs::create_directories(store_ + "/shards");
  ASSERT_TRUE(WriteFileAtomically(Shard(1), "", Durability::kNone).ok());
  fs::resize_file(Shard(1), kShardBytes);  // a hole, no blocks
  auto writer = ShardWriter::Open(store_, {1, kShardBytes});
  ASSERT_TRUE(writer.ok()) << writer.status();
  const ShardEnd place = writer->Append("abc").value();
  EXPECT_EQ(place.number, 2);
  EXPECT_EQ(place.bytes, 0u);
  EXPECT_EQ(BytesOf(2), "abc");
  EXPECT_EQ(fs::file_size(Shard(1)), kShardBytes);
}

}  // namespace
}  // namespace hilum
