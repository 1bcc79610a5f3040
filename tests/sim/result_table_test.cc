// SPDX-License-Identifier: Apache-2.0
#include "sim/result_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hilum {
namespace {

using ::testing::HasSubstr;

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
}

TEST(ResultTableTest, RefusesWhatIsNoReport) {
  EXPECT_FALSE(ResultTable("").ok());
  EXPECT_FALSE(ResultTable("[1, 2").ok());
  EXPECT_FALSE(ResultTable("{\"arms\": 3}").ok());
}

}  // namespace
}  // namespace hilum
