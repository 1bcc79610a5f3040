// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/learning/local_states.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"

namespace hilum {
namespace {

class LocalStatesTest : public testing::Test {
 protected:
  ~LocalStatesTest() override { std::filesystem::remove_all(folder_); }
  const std::string folder_ =
      absl::StrCat(testing::TempDir(), "/local-", getpid());
  const LocalStates states_{folder_};
};

using Values = std::vector<float>;

TEST_F(LocalStatesTest, ARoundStartsFromTheLastBeforeIt) {
  EXPECT_EQ(*states_.Before(1, 0, 2), Values());
  ASSERT_TRUE(states_.Keep(1, 0, 0, {1, 2}).ok());
  ASSERT_TRUE(states_.Keep(1, 1, 0, {5, 6}).ok());
  ASSERT_TRUE(states_.Keep(2, 0, 1, {3, 4}).ok());
  EXPECT_EQ(*states_.Before(1, 0, 2), Values());
  EXPECT_EQ(*states_.Before(2, 0, 2), Values({1, 2}));  // round 2 again
  EXPECT_EQ(*states_.Before(9, 0, 2), Values({3, 4}));
  EXPECT_EQ(*states_.Before(9, 1, 2), Values({5, 6}));
}

TEST_F(LocalStatesTest, OldRoundsAreForgotten) {
  for (uint32_t round = 1; round <= 5; ++round) {
    ASSERT_TRUE(
        states_.Keep(round, 0, round - 1, {static_cast<float>(round)}).ok());
  }
  EXPECT_EQ(*states_.Before(5, 0, 1), Values({4}));
  EXPECT_EQ(*states_.Before(4, 0, 1), Values());
}

TEST_F(LocalStatesTest, StateOfTheBestRoundIsKept) {
  // The best model is that of after round 2, in which this site was away.
  for (uint32_t round : {1, 3, 4, 5, 6}) {
    ASSERT_TRUE(states_
                    .Keep(round, 0, std::min(round - 1, 2u),
                          {static_cast<float>(round)})
                    .ok());
  }
  EXPECT_EQ(*states_.Before(3, 0, 1), Values({1}));
  EXPECT_EQ(*states_.Before(6, 0, 1), Values({5}));
  // Then it is that of after round 6.
  ASSERT_TRUE(states_.Keep(7, 0, 6, {7}).ok());
  EXPECT_EQ(*states_.Before(7, 0, 1), Values({6}));
  EXPECT_EQ(*states_.Before(6, 0, 1), Values());
}

TEST_F(LocalStatesTest, AFileOfAnotherLengthIsNamed) {
  ASSERT_TRUE(states_.Keep(1, 0, 0, {1, 2}).ok());
  const absl::Status status = states_.Before(2, 0, 3).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(status.message().find(folder_), absl::string_view::npos);
}

TEST(LocalStatesWithoutAFolderTest, KeepNothing) {
  const LocalStates states("");
  EXPECT_TRUE(states.Keep(1, 0, 0, {1}).ok());
  EXPECT_EQ(*states.Before(2, 0, 1), Values());
}

}  // namespace
}  // namespace hilum
