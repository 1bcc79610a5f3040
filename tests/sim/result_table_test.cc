// SPDX-License-Identifier: Apache-2.0
#include "sim/result_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hilum {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ResultTableTest, GivesEachArmItsLineAndUnknownNumbersAsSuch) {
  const auto table = ResultTable(R"({
    "classes": ["covid19", "normal"],
    "arms": {"whole": {"federated": {"pooled": {
      "accuracy": 0.75, "confusion": [[2, 1], [0, 1]],
      "macro": {"auc": null, "sensitivity": 0.8, "specificity": 0.9},
      "per_class": {"covid19": {"auc": 0.9, "ci95": [0.8, 0.95]}}}}}}})");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_THAT(*table, HasSubstr("whole             4     0.750     n/a"));
  EXPECT_THAT(*table, HasSubstr("covid19       0.900 [0.800, 0.950]"));
  EXPECT_THAT(*table, HasSubstr("normal        n/a"));
  EXPECT_THAT(*table, Not(HasSubstr("centralized")));
}

TEST(ResultTableTest, BaselinesStandBelowTheirArmAndAreExplained) {
  const std::string report = R"({
    "classes": ["covid19"],
    "arms": {"whole": {
      "federated": {"pooled": {"accuracy": 0.75, "confusion": [[3, 1]]}},
      "local_only": {"pooled": {"accuracy": 0.5, "confusion": [[2, 2]]}},
      "centralized": {"pooled": {"accuracy": 1, "confusion": [[4, 0]]}}}}})";
  const auto table = ResultTable(report);
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_THAT(*table, HasSubstr("whole             4     0.750"));
  EXPECT_THAT(*table, HasSubstr("\n local_only       4     0.500"));
  EXPECT_THAT(*table, HasSubstr("\n centralized      4     1.000"));
  EXPECT_THAT(*table, HasSubstr("centralized:\none model"));
}

TEST(ResultTableTest, RefusesWhatIsNoReport) {
  EXPECT_FALSE(ResultTable("").ok());
  EXPECT_FALSE(ResultTable("[1, 2").ok());
  EXPECT_FALSE(ResultTable("{\"arms\": 3}").ok());
}

}  // namespace
}  // namespace hilum
