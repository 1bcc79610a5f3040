// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/html_rounds.h"

#include <gmock/gmock.h>

#include "tests/coordinator/written_report.h"

namespace hilum {
namespace {

using testing::HasSubstr;
using testing::Not;

using HtmlRoundsTest = ReportTest;

TEST_F(HtmlRoundsTest, RoundsInWhichNothingCountedAreListedByTheirReason) {
  federated_.rounds = {
      {.round = 1, .contributors = {SiteId("a")}, .examples = {4, 4, 8}},
      {.round = 2, .examples = {0, 0, 0}},
      {.round = 3, .contributors = {SiteId("a")}, .examples = {0, 0, 0}}};
  for (RoundSummary& round : federated_.rounds) round.mean_loss = {1};
  federated_.model_rounds = {3, 3, 3};
  const std::string html =
      RoundsHtml(federated_, ComputeArmMetrics(federated_));
  EXPECT_THAT(html, HasSubstr("No sum came about in these rounds, and the "
                              "models stayed as they were: 2."));
  EXPECT_THAT(html, HasSubstr("No site’s update counted in these rounds, and "
                              "the models stayed as they were: 3."));
}

TEST_F(HtmlRoundsTest, RoundsThatAllCountedAreNotListed) {
  TrainOnly({4, 4, 8});
  EXPECT_THAT(RoundsHtml(federated_, ComputeArmMetrics(federated_)),
              Not(HasSubstr("stayed as they were")));
}

}  // namespace
}  // namespace hilum
