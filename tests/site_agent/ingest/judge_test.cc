// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/judge.h"

#include <gtest/gtest.h>

#include <string>

namespace hilum {
namespace {

Source Of(const std::string& patient) {
  return {.id = "s", .name = "/in/1.dcm", .stamp = {}, .patient = patient};
}

LabelRow Row(const std::string& label, const std::string& patient = "") {
  return {.columns = 1, .key = "k", .label = label, .patient = patient};
}

void ExpectQuarantine(const CaseVerdict& verdict, const std::string& reason) {
  EXPECT_EQ(verdict.state, CaseState::kQuarantined);
  EXPECT_EQ(verdict.reason.substr(0, reason.size()), reason);
}

TEST(JudgeTest, OneLabelAndOnePatientAreReady) {
  const CaseVerdict verdict =
      JudgeCase("", {Of("p"), Of("p"), Of("")}, {Row("covid"), Row("covid")});
  EXPECT_EQ(verdict.state, CaseState::kReady) << verdict.reason;
  EXPECT_EQ(verdict.label, "covid");
  EXPECT_EQ(verdict.patient, "p");
}

TEST(JudgeTest, WithoutALabelACaseWaits) {
  const CaseVerdict verdict = JudgeCase("", {Of("p")}, {});
  EXPECT_EQ(verdict.state, CaseState::kUnlabelled);
  EXPECT_EQ(verdict.reason, "");
}

TEST(JudgeTest, TheImagesPatientCountsBeforeTheLabelsFiles) {
  EXPECT_EQ(JudgeCase("", {Of("p")}, {Row("covid", "q")}).patient, "p");
  EXPECT_EQ(JudgeCase("", {Of("")}, {Row("covid", "q")}).patient, "q");
  ExpectQuarantine(JudgeCase("", {Of("")}, {Row("covid")}), "no Patient ID");
}

TEST(JudgeTest, NothingIsGuessedOfTwo) {
  const CaseVerdict labels = JudgeCase("", {Of("p")}, {Row("a"), Row("b")});
  ExpectQuarantine(labels, "it has two labels");
  EXPECT_EQ(labels.label, "");
  const CaseVerdict patients = JudgeCase("", {Of("p"), Of("q")}, {Row("a")});
  ExpectQuarantine(patients, "the same image is there under several patients");
  EXPECT_EQ(patients.patient, "");
  ExpectQuarantine(JudgeCase("", {Of("")}, {Row("a", "p"), Row("a", "q")}),
                   "the same image is there under several patients");
}

TEST(JudgeTest, APersonsReasonComesFirstAndARowsProblemBeforeItsLabel) {
  LabelRow twice = Row("");
  twice.problem = "rows 2 and 3 give two labels";
  ExpectQuarantine(JudgeCase("", {Of("p")}, {twice}), twice.problem);
  ExpectQuarantine(JudgeCase("drain", {Of("p")}, {twice}), "drain");
  ExpectQuarantine(JudgeCase("", {}, {Row("a", "p")}), "no file shows it");
}

}  // namespace
}  // namespace hilum
