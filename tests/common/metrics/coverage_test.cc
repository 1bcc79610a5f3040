// SPDX-License-Identifier: Apache-2.0
// Holds docs/evaluation.md to what it says of intervals. The draws are
// repeatable, so no run fails by chance; with other seeds a share of 2,000
// draws would leave its range once in 1,000 times.
#include "tests/common/metrics/coverage.h"

#include <gtest/gtest.h>

namespace hilum {
namespace {

TEST(CoverageTest, PooledIntervalHoldsTheTruthInNineteenOfTwentyStudies) {
  for (const IidSetting& setting : {IidSetting{0.75, 25, 25, 2000},
                                    {0.9, 50, 100, 2000},
                                    {0.95, 100, 100, 2000}}) {
    const double covered = SimulateIid(setting).pooled;
    EXPECT_GE(covered, 0.934) << setting.auc;
    EXPECT_LE(covered, 0.966) << setting.auc;
  }
}

// In about a third of the draws the order is perfect.
TEST(CoverageTest, IntervalsAtTheBoundaryReachTheirNominalShare) {
  const IidCoverage coverage = SimulateIid({0.99, 10, 40, 2000});
  EXPECT_GT(coverage.at_boundary, 0.25);
  EXPECT_LT(coverage.without_newcombe, 0.8);
  EXPECT_GE(coverage.pooled, 0.95);
}

// Intervals know nothing of the training sets that the folds share: this limit
// still stands.
TEST(CoverageTest, CrossValidationMakesIntervalsTooNarrow) {
  const CrossValidationCoverage coverage =
      SimulateCrossValidation({.cases = 100,
                               .features = 10,
                               .distance = 1.2,
                               .folds = 5,
                               .draws = 1000});
  EXPECT_LT(coverage.pooled_of_procedure, 0.94);
  EXPECT_GT(coverage.pooled_of_procedure, 0.8);
}

}  // namespace
}  // namespace hilum
