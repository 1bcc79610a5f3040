// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/calibration_line.h"

#include <gtest/gtest.h>

#include "tests/common/metrics/drawn_scores.h"

namespace hilum {
namespace {

// Outcomes drawn from log-odds a + b x. The estimates are within 5 standard
// errors of a and b: a false failure has a probability below 1e-6 each.
TEST(CalibrationLineTest, FindsTheLineThatOutcomesWereDrawnFrom) {
  const double a = 0.4, b = 0.6;
  DrawnScores drawn(4096), shifted(4096);
  Rng rng(3, "line");
  for (int i = 0; i < 20000; ++i) {
    const double x = 2 * rng.Normal();
    drawn.Add(rng.Uniform() < Logistic(a + b * x), x);
    shifted.Add(rng.Uniform() < Logistic(a + x), x);
  }
  const Coefficient slope = *FitCalibrationLine(drawn.view()).slope;
  const double error = (slope.interval95.high - slope.value) / kZ95;
  EXPECT_NEAR(slope.value, b, 5 * error);
  EXPECT_LT(error, 0.02);
  const Coefficient intercept = *FitCalibrationLine(shifted.view()).intercept;
  EXPECT_NEAR(intercept.value, a,
              5 * (intercept.interval95.high - intercept.value) / kZ95);
}

// At the maximum of the likelihood the gradient is 0.
TEST(CalibrationLineTest, InterceptMakesExpectedAndObservedCasesEqual) {
  const DrawnScores drawn = DrawScores(8, 40, 90, 2, 256);
  const double a = FitCalibrationLine(drawn.view()).intercept->value;
  double expected = 0;
  for (const DrawnCase& one : drawn.cases) {
    expected += Logistic(a + BinCentre(one.bin, 256));
  }
  EXPECT_NEAR(expected, 40, 1e-6);
}

TEST(CalibrationLineTest, SeparatedClassesHaveNoSlope) {
  EXPECT_FALSE(FitCalibrationLine({{0, 0, 5}, {5, 0, 0}}).slope.has_value());
  EXPECT_FALSE(FitCalibrationLine({{5, 0, 0}, {0, 0, 5}}).slope.has_value());
  // They meet in one bin.
  EXPECT_FALSE(FitCalibrationLine({{0, 2, 5}, {5, 3, 0}}).slope.has_value());
  EXPECT_TRUE(FitCalibrationLine({{1, 2, 5}, {5, 3, 0}}).slope.has_value());
  // The intercept alone exists.
  EXPECT_TRUE(FitCalibrationLine({{0, 0, 5}, {5, 0, 0}}).intercept.has_value());
}

TEST(CalibrationLineTest, PathologicalScores) {
  EXPECT_FALSE(FitCalibrationLine({{0, 0}, {4, 1}}).intercept.has_value());
  EXPECT_FALSE(FitCalibrationLine({{1, 0}, {0, 0}}).intercept.has_value());
  // All scores are equal: half a bin below 0.
  const CalibrationLine constant =
      FitCalibrationLine({{0, 30, 0, 0}, {0, 10, 0, 0}});
  EXPECT_FALSE(constant.slope.has_value());
  EXPECT_NEAR(constant.intercept->value, std::log(3) + 4, 1e-9);
  // Saturated, and wrong as often as right.
  DrawnScores saturated(4096);
  for (int i = 0; i < 40; ++i) saturated.Add(i < 20, i % 2 == 0 ? 99 : -99);
  const CalibrationLine flat = FitCalibrationLine(saturated.view());
  EXPECT_NEAR(flat.slope->value, 0, 1e-9);
  EXPECT_NEAR(flat.intercept->value, 0, 1e-6);
}

}  // namespace
}  // namespace hilum
