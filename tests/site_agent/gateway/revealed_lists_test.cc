// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/revealed_lists.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"

namespace hilum {
namespace {

using testing::HasSubstr;

std::set<SiteId> Sites(const std::string& letters) {
  std::set<SiteId> sites;
  for (char letter : letters) sites.emplace(std::string(1, letter));
  return sites;
}

class RevealedListsTest : public testing::Test {
 protected:
  RevealedListsTest()
      : path_(absl::StrCat(
            testing::TempDir(), "/revealed-",
            testing::UnitTest::GetInstance()->current_test_info()->name())),
        lists_(path_) {
    std::filesystem::remove(path_);
  }

  const std::string path_;
  const RevealedLists lists_;
  const std::string model_ = std::string(32, 'm');
  const std::string start_ = std::string(32, 's');
  const std::string first_ = std::string(32, '1');
  const std::string second_ = std::string(32, '2');
};

TEST_F(RevealedListsTest, OneOrTwoSitesOfDifferenceAreRefusedByName) {
  EXPECT_TRUE(lists_.Check({model_}, second_, Sites("abc")).ok());
  ASSERT_TRUE(lists_.Note({model_}, first_, Sites("abcdef")).ok());
  EXPECT_TRUE(lists_.Check({model_}, second_, Sites("abcdef")).ok());
  EXPECT_TRUE(lists_.Check({model_}, second_, Sites("abc")).ok());
  for (const auto& [survivors, names] :
       {std::pair("abcde", "only in f"), std::pair("abcd", "only in e,f"),
        std::pair("abcdeg", "only in f,g"),
        std::pair("abcdefg", "only in g")}) {
    const absl::Status refused =
        lists_.Check({model_}, second_, Sites(survivors));
    EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(refused.message()), HasSubstr(names));
  }
}

TEST_F(RevealedListsTest, EachSubjectCountsByItself) {
  ASSERT_TRUE(lists_.Note({model_, start_}, first_, Sites("abcd")).ok());
  EXPECT_TRUE(lists_.Check({std::string(32, 'x')}, second_, Sites("abc")).ok());
  EXPECT_FALSE(lists_.Check({start_}, second_, Sites("abc")).ok());
  EXPECT_FALSE(
      lists_.Check({std::string(32, 'x'), model_}, second_, Sites("abc")).ok());
}

// A study whose model comes back to an earlier one, however many rounds later.
TEST_F(RevealedListsTest, SumsOfTheSameStudyAreOverTheSameSites) {
  ASSERT_TRUE(lists_.Note({model_}, first_, Sites("abcdefg")).ok());
  EXPECT_TRUE(lists_.Check({model_}, first_, Sites("abcdefg")).ok());
  EXPECT_FALSE(lists_.Check({model_}, first_, Sites("abc")).ok());
  EXPECT_FALSE(
      lists_.Check({model_}, first_, Sites("abcdef"), /*may_differ=*/true)
          .ok());
  EXPECT_TRUE(
      lists_.Check({model_}, second_, Sites("abcdef"), /*may_differ=*/true)
          .ok());
}

TEST_F(RevealedListsTest, EverySumStaysOnDisk) {
  ASSERT_TRUE(lists_.Note({model_}, first_, Sites("abcd")).ok());
  ASSERT_TRUE(lists_.Note({start_}, first_, Sites("abcd")).ok());
  const RevealedLists again(path_);
  EXPECT_FALSE(again.Check({model_}, second_, Sites("abc")).ok());
  EXPECT_FALSE(again.Check({start_}, second_, Sites("abc")).ok());
}

TEST_F(RevealedListsTest, SpoiltFileIsSaidAndNothingIsRevealed) {
  ASSERT_TRUE(WriteFileAtomically(path_, "no list\n").ok());
  const absl::Status spoilt = lists_.Check({model_}, second_, Sites("abc"));
  EXPECT_EQ(spoilt.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(spoilt.message()), HasSubstr(path_));
}

}  // namespace
}  // namespace hilum
