// SPDX-License-Identifier: Apache-2.0
#include "coordinator/study_result.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hilum {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

RoundSummary Round(std::vector<uint64_t> examples,
                   std::vector<uint64_t> site_examples) {
  return {.round = 1,
          .contributors = {SiteId("a"), SiteId("b")},
          .examples = std::move(examples),
          .site_examples = std::move(site_examples)};
}

TEST(RoundSummaryTest, SiteWhoseUpdateCountedWithNothingDidNotTrain) {
  EXPECT_THAT(Round({5, 0}, {0, 5}).Trainers(), ElementsAre(SiteId("b")));
  EXPECT_THAT(Round({0, 0}, {0, 0}).Trainers(), IsEmpty());
}

// The sum of a masked round does not show who trained.
TEST(RoundSummaryTest, WhereSingleSitesAreNotKnownAllOrNoneTrained) {
  EXPECT_THAT(Round({5, 0}, {}).Trainers(),
              ElementsAre(SiteId("a"), SiteId("b")));
  EXPECT_THAT(Round({0, 0}, {}).Trainers(), IsEmpty());
  EXPECT_THAT(Round({}, {}).Trainers(), ElementsAre(SiteId("a"), SiteId("b")));
}

TEST(RoundSummaryTest, ExamplesOfOtherSitesThanTheContributorsDoNotFit) {
  EXPECT_TRUE(Round({1}, {1, 2}).HasFittingLengths());
  EXPECT_TRUE(Round({1}, {}).HasFittingLengths());
  EXPECT_FALSE(Round({1}, {1}).HasFittingLengths());
}

}  // namespace
}  // namespace hilum
