// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/folds.h"

#include <algorithm>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/rng.h"
#include "common/crypto/sha256.h"
#include "gtest/gtest.h"

namespace hilum {
namespace {

const std::string kKey(32, 'k');

CaseRow Case(std::string patient, int label) {
  CaseRow row;
  row.patient_id = std::move(patient);
  row.label = label;
  return row;
}

TEST(FoldsTest, APatientIsNeverSplitAndOrderDoesNotMatter) {
  Rng rng(1, "folds");
  std::vector<CaseRow> cases;
  for (int i = 0; i < 400; ++i) {
    cases.push_back(Case(absl::StrCat("p", rng.Below(120)),
                         static_cast<int>(rng.Below(4))));
  }
  std::map<std::string, int> fold_of;
  std::vector<int> folds = DealFolds(cases, 4, 5, kKey);
  for (size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(fold_of.emplace(cases[i].patient_id, folds[i]).first->second,
              folds[i]);
  }
  rng.Shuffle(cases);
  folds = DealFolds(cases, 4, 5, kKey);
  for (size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(fold_of[cases[i].patient_id], folds[i]);
  }
}

TEST(FoldsTest, EveryClassIsSpreadEvenly) {
  std::vector<CaseRow> cases;
  for (int i = 0; i < 103; ++i) cases.push_back(Case(absl::StrCat(i), i % 3));
  std::vector<int> folds = DealFolds(cases, 3, 5, kKey);
  int counts[3][5] = {};
  for (int i = 0; i < 103; ++i) ++counts[i % 3][folds[i]];
  for (auto& row : counts) {
    EXPECT_LE(*std::max_element(row, row + 5) - *std::min_element(row, row + 5),
              1);
  }
}

TEST(FoldsTest, DealsByHashAndRunsOnFromStratumToStratum) {
  // Patients a, b, c are class 0; x (one case of each class) too, by the
  // tie rule; d is class 1.
  std::vector<CaseRow> cases = {Case("a", 0), Case("b", 0), Case("c", 0),
                                Case("x", 1), Case("x", 0), Case("d", 1)};
  std::vector<std::string> order = {"a", "b", "c", "x"};
  std::sort(order.begin(), order.end(), [](auto& one, auto& other) {
    return HmacSha256(kKey, one) < HmacSha256(kKey, other);
  });
  std::map<std::string, int> expected;
  for (int i = 0; i < 4; ++i) expected[order[i]] = i % 3;
  expected["d"] = 4 % 3;
  std::vector<int> folds = DealFolds(cases, 2, 3, kKey);
  for (size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(folds[i], expected[cases[i].patient_id]) << i;
  }
}

}  // namespace
}  // namespace hilum
