// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/orientation/orientation_cases.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

TEST(OrientationCasesTest, APatientIsInOneFoldAndAllFoldsHaveSome) {
  std::set<int> folds;
  for (int i = 0; i < 100; ++i) {
    const std::string patient = absl::StrCat("p", i);
    const int fold = OrientationFold(patient, 5, 1);
    EXPECT_EQ(fold, OrientationFold(patient, 5, 1));
    folds.insert(fold);
  }
  EXPECT_EQ(folds, (std::set<int>{0, 1, 2, 3, 4}));
}

TEST(OrientationCasesTest, AnotherSeedDealsPatientsOtherwise) {
  int moved = 0;
  for (int i = 0; i < 100; ++i) {
    const std::string patient = absl::StrCat("p", i);
    moved += OrientationFold(patient, 5, 1) != OrientationFold(patient, 5, 2);
  }
  // Four of five are expected; 50 or fewer have a chance of 2e-11.
  EXPECT_GT(moved, 50);
}

}  // namespace
}  // namespace hilum
