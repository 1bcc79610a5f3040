// SPDX-License-Identifier: Apache-2.0
#include "common/aggregation/statistics_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hilum {
namespace {

using testing::ElementsAre;

TEST(StatisticsWordsTest, CountsComeBackInTheOrderInWhichTheyWereAppended) {
  std::vector<uint32_t> words;
  AppendCounts(std::vector<uint64_t>{1, 2}, words);
  AppendCounts(std::vector<uint64_t>{3}, words);
  EXPECT_THAT(words, ElementsAre(1, 2, 3));
  WordReader reader(words);
  std::vector<uint64_t> first(2), second(1);
  ReadCounts(reader, first);
  ReadCounts(reader, second);
  EXPECT_THAT(first, ElementsAre(1, 2));
  EXPECT_THAT(second, ElementsAre(3));
}

// A study of before has no such counts.
TEST(StatisticsWordsTest, CountsThatAreNotThereAddNone) {
  std::vector<uint64_t> sums = {1, 2};
  AddCounts(std::vector<uint64_t>{10, 20}, sums);
  AddCounts(std::vector<uint64_t>{}, sums);
  AddCounts(std::vector<uint64_t>{100}, sums);
  EXPECT_THAT(sums, ElementsAre(111, 22));
}

// Two counts of 32 bits could wrap.
TEST(StatisticsWordsTest, SumOfCountsHasSixtyFourBits) {
  EXPECT_EQ(SumOf(std::vector<uint32_t>{0xffffffff, 1}), uint64_t{1} << 32);
}

TEST(StatisticsWordsTest, LengthsAreComparedAndBothSaid) {
  EXPECT_TRUE(LengthIs("the sum", 3, 3).ok());
  const absl::Status status = LengthIs("the sum", 3, 4);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "the sum has 3 entries, the study's has 4");
}

// An absurd sum ends the round, and is nobody's bad message.
TEST(StatisticsWordsTest, AbsurdSumIsAborted) {
  EXPECT_EQ(Absurd("9 cases").code(), absl::StatusCode::kAborted);
}

}  // namespace
}  // namespace hilum
