// SPDX-License-Identifier: Apache-2.0
// Tests the number of folds for a cohort of known size: three sites with 802
// patients in four classes, of whom 86 have COVID-19, 73 of them with a lung
// mask (docs/patients.md).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/aggregation/statistics_vector.h"
#include "common/config/cohort_rules.h"
#include "common/config/study.h"
#include "site_agent/trainer/data/folds.h"
#include "tests/support/fingerprint.h"

namespace hilum {
namespace {

using testing::HasSubstr;

enum Label { kCovid19, kNormal, kBacterial, kViral };

// Patients with one case of each label.
struct Group {
  int patients, with_mask;
  std::vector<int> labels;
};
const std::map<std::string, std::vector<Group>>& Sites() {
  static const auto* const kSites =
      new std::map<std::string, std::vector<Group>>{
          {"guangzhou",
           {{267, 267, {kNormal}},
            {211, 211, {kBacterial}},
            {169, 169, {kViral}},
            {56, 56, {kBacterial, kViral}}}},
          {"hannover", {{46, 33, {kCovid19}}}},
          {"montreal",
           {{40, 40, {kCovid19}},
            {2, 2, {kNormal}},
            {10, 10, {kBacterial}},
            {1, 1, {kViral}}}}};
  return *kSites;
}

v1::Study StudyOf(uint32_t folds) {
  v1::Study study;
  for (const char* label : {"covid19", "normal", "bacterial", "viral"}) {
    study.add_classes(label);
  }
  for (const auto& [site, groups] : Sites()) study.add_sites(site);
  study.mutable_cross_validation()->set_folds(folds);
  FillStudyDefaults(study);
  return study;
}

v1::SubmitCensusRequest CensusOf(const std::vector<Group>& groups,
                                 const v1::Study& study,
                                 const std::string& key) {
  std::vector<CaseRow> cases;
  std::vector<bool> masks;
  for (const Group& group : groups) {
    for (int patient = 0; patient < group.patients; ++patient) {
      for (int label : group.labels) {
        CaseRow& row = cases.emplace_back();
        row.patient_id =
            absl::StrCat(group.labels[0], group.labels.size(), "-", patient);
        row.label = label;
        masks.push_back(patient < group.with_mask);
      }
    }
  }
  const int folds = static_cast<int>(study.cross_validation().folds());
  const std::vector<int> fold_of = DealFolds(cases, 4, folds, key);
  v1::SubmitCensusRequest census;
  for (int arm : study.arms()) {
    auto& cells = *census.add_arms()->mutable_fold_class_counts();
    cells.Resize(4 * folds, 0);
    for (size_t i = 0; i < cases.size(); ++i) {
      if (arm == v1::ARM_SEGMENTED && !masks[i]) continue;
      ++cells[4 * fold_of[i] + cases[i].label];
    }
  }
  FillFingerprints(4, census);
  return census;
}

v1::CensusTotals TotalsOf(const v1::Study& study, char key) {
  std::map<SiteId, v1::SubmitCensusRequest> census;
  for (const auto& [site, groups] : Sites()) {
    census[SiteId(site)] =
        CensusOf(groups, study, absl::StrCat(std::string(24, key), site));
  }
  return SumCensus(study, census);
}

// Returns the smallest cell of an arm.
uint64_t SmallestCell(const v1::CensusTotals& totals, int arm) {
  const auto& cells = totals.arms(arm).fold_class_patients();
  return *std::min_element(cells.begin(), cells.end());
}

TEST(CohortCellsTest, FiveFoldsPassTheRuleOfTen) {
  const v1::Study study = StudyOf(5);
  for (char key = 'a'; key <= 'z'; ++key) {
    const v1::CensusTotals totals = TotalsOf(study, key);
    EXPECT_TRUE(CheckCells(study, totals, 10).ok())
        << CheckCells(study, totals, 10);
    EXPECT_GE(SmallestCell(totals, 0), 10u);  // segmented
    EXPECT_EQ(SmallestCell(totals, 1), 17u);  // whole
  }
}

TEST(CohortCellsTest, TenFoldsAreRefused) {
  const v1::Study study = StudyOf(10);
  for (char key = 'a'; key <= 'z'; ++key) {
    const absl::Status refused = CheckCells(study, TotalsOf(study, key), 10);
    EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(refused.message()), HasSubstr("covid19"));
  }
}

}  // namespace
}  // namespace hilum
