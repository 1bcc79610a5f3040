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

TEST(ResultTableTest, SegmentationHasDiceAndIouByClass) {
  const auto table = ResultTable(R"({
    "classes": ["covid19", "normal"],
    "arms": {"whole": {"federated": {"pooled": {"n": 8, "overlap": {
      "all": {"dice": 0.925, "dice_ci95": [0.9, 0.95], "iou": 0.875,
              "iou_ci95": [0.8, 0.9], "n_patients": 5, "n_cases": 8,
              "implausible": 0.125},
      "per_class": {"covid19": {"dice": 0.5, "dice_ci95": null,
                                "n_patients": 1, "n_cases": 1}}}}}}}})");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_THAT(*table, HasSubstr("all                 5       8  0.925 [0.900, "
                                "0.950]  0.875 [0.800, 0.900]        0.125"));
  EXPECT_THAT(*table, HasSubstr("covid19             1       1  0.500      "));
  EXPECT_THAT(*table, HasSubstr("normal            n/a     n/a"));
  EXPECT_THAT(*table, Not(HasSubstr("AUC")));
}

TEST(ResultTableTest, WarningsStandAboveAndUntrainedModelsAreAnError) {
  const std::string report = R"({
    "classes": ["covid19"], "warnings": ["nobody trained"],
    "untrained": {"whole": ["fold-1", "final"]},
    "arms": {"whole": {"federated": {"pooled": {"accuracy": null}}}}})";
  const auto table = ResultTable(report);
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->rfind("WARNING: nobody trained\n", 0), 0u) << *table;
  const absl::Status trained = CheckTrained(report);
  EXPECT_EQ(trained.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(trained.message()),
              HasSubstr("whole-fold-1, whole-final"));
}

TEST(ResultTableTest, ReportsWithoutUntrainedModelsAreNoError) {
  EXPECT_TRUE(CheckTrained(R"({"classes": [], "arms": {}})").ok());
  const std::string empty = R"({"classes": [], "arms": {}, "warnings": [],
                                "untrained": {}})";
  EXPECT_TRUE(CheckTrained(empty).ok());
  EXPECT_THAT(*ResultTable(empty), Not(HasSubstr("WARNING")));
}

TEST(ResultTableTest, RefusesWhatIsNoReport) {
  EXPECT_FALSE(CheckTrained("[1, 2").ok());
  EXPECT_FALSE(ResultTable("").ok());
  EXPECT_FALSE(ResultTable("[1, 2").ok());
  EXPECT_FALSE(ResultTable("{\"arms\": 3}").ok());
}

}  // namespace
}  // namespace hilum
