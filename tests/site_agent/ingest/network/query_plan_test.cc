// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/network/query_plan.h"

#include <string>

#include "absl/strings/match.h"
#include "common/base/file.h"
#include "gtest/gtest.h"

namespace hilum {
namespace {

std::string List(const std::string& text) {
  const std::string path = testing::TempDir() + "/query_plan_list.csv";
  EXPECT_TRUE(WriteFileAtomically(path, text, Durability::kNone).ok());
  return path;
}

absl::StatusOr<QueryPlan> PlanOf(const std::string& text) {
  return PlanQuery({.list = List(text)});
}

TEST(QueryPlanTest, DaysAreAskedForOneByOne) {
  auto plan = PlanQuery({.from = "2020-02-28", .to = "2020-03-01"});
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_EQ(plan->parts.size(), 3u);
  EXPECT_EQ(plan->parts[1].name, "2020-02-29");
  EXPECT_EQ(plan->parts[1].query.study_date, "20200229");
  EXPECT_EQ(plan->parts[1].query.modalities.size(), 2u);
  EXPECT_EQ(plan->parts[1].query.patient, "");
}

TEST(QueryPlanTest, AnAccessionNumberIsOneQuestionWithoutADate) {
  auto plan = PlanQuery({.accessions = {"A1", "A2", "A1"}});
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_EQ(plan->parts.size(), 2u);
  EXPECT_EQ(plan->parts[1].query.accession, "A2");
  EXPECT_EQ(plan->parts[1].query.study_date, "");
}

// A labels file can be the list: its other columns are ignored.
TEST(QueryPlanTest, ARowOfTheListIsOneQuestionOfAllItsCells) {
  auto plan = PlanOf(
      "label,AccessionNumber,PatientID,StudyInstanceUID\n"
      "covid,A1,P1,\n"
      "covid, A1 ,P1,\n"
      "normal,,P2,1.2.3\n"
      "normal,,,\n");
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_EQ(plan->parts.size(), 2u);
  EXPECT_EQ(plan->parts[0].query.accession, "A1");
  EXPECT_EQ(plan->parts[0].query.patient, "P1");
  EXPECT_EQ(plan->parts[1].query.study, "1.2.3");
  EXPECT_EQ(plan->parts[1].name, "query_plan_list.csv:4");
  ASSERT_EQ(plan->notes.size(), 1u);
  EXPECT_TRUE(absl::StrContains(plan->notes[0], ":5: nothing to ask for"));
}

// "P*" would fetch the patients of half a hospital.
TEST(QueryPlanTest, APatternIsRefusedAndNotShown) {
  for (const char* cell : {"P*", "P?1", "P1\\P2"}) {
    const absl::Status status =
        PlanOf(std::string("PatientID\n") + cell + "\n").status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "csv:2")) << status;
    EXPECT_FALSE(absl::StrContains(status.message(), cell)) << status;
  }
  EXPECT_FALSE(PlanQuery({.accessions = {"*"}}).ok());
}

TEST(QueryPlanTest, WhatAsksForNothingOrForBothIsRefused) {
  EXPECT_FALSE(PlanQuery({}).ok());
  EXPECT_FALSE(PlanQuery({.from = "2020-01-01"}).ok());
  EXPECT_FALSE(PlanQuery({.from = "2020-01-02", .to = "2020-01-01"}).ok());
  EXPECT_FALSE(
      PlanQuery({.from = "2020-01-01", .to = "2020-01-01", .accessions = {"A"}})
          .ok());
  EXPECT_FALSE(PlanOf("").ok());
  EXPECT_FALSE(PlanOf("PatientID\n").ok());
  EXPECT_TRUE(absl::StrContains(PlanOf("patient\nP1\n").status().message(),
                                "AccessionNumber"));
  EXPECT_TRUE(
      absl::IsNotFound(PlanQuery({.list = "/no/such/list.csv"}).status()));
}

}  // namespace
}  // namespace hilum
