// SPDX-License-Identifier: Apache-2.0
// Compares the metrics with scikit-learn's and pROC's, where these are
// installed (Debian: python3-sklearn, r-cran-proc). The scores are middles of
// bins, so binning loses nothing and both sides see the same ties.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/file.h"
#include "common/metrics/agreement.h"
#include "common/metrics/binned_roc.h"
#include "common/metrics/brier.h"
#include "common/metrics/calibration_line.h"
#include "common/metrics/operating_point.h"
#include "common/metrics/partial_auc.h"
#include "common/metrics/precision_recall.h"
#include "tests/common/metrics/drawn_scores.h"

namespace hilum {
namespace {

using Figures = std::map<std::string, double>;  // by "SET METRIC"

constexpr size_t kBins = 1024;

// Small and large sets, rare classes, many ties (few bins are in reach), scores
// in reversed order.
std::map<std::string, DrawnScores> Sets() {
  return {{"even", DrawScores(1, 80, 90, 1.5, kBins)},
          {"rare", DrawScores(2, 11, 400, 2, kBins)},
          {"small", DrawScores(3, 12, 10, 0.8, kBins)},
          {"ties", DrawScores(4, 60, 120, 1, 64)},
          {"reversed", DrawScores(5, 40, 50, -1, kBins)},
          {"large", DrawScores(6, 2000, 3000, 1.2, kBins)}};
}

Confusion Table() {
  Confusion table(3);
  const uint64_t counts[] = {30, 5, 2, 4, 25, 9, 1, 8, 140};
  for (int i = 0; i < 9; ++i) table.Add(i / 3, i % 3, counts[i]);
  return table;
}

Figures OurFigures() {
  Figures ours;
  for (const auto& [name, drawn] : Sets()) {
    const BinnedScores scores = drawn.view();
    const auto say = [&, set = name](const char* metric, double value) {
      ours[absl::StrCat(set, " ", metric)] = value;
    };
    const auto auc = ComputeBinnedAuc(scores.positives, scores.negatives);
    say("auc", auc->auc);
    say("variance", *auc->variance);
    say("partial", *PartialAucAtSpecificity(scores, 0.9));
    say("partial_sensitivity", *PartialAucAtSensitivity(scores, 0.9));
    say("ap", ComputeAveragePrecision(scores)->value);
    say("brier", ComputeBrier(scores)->value);
    say("at_specificity",
        *CountAt(scores, *ThresholdAtSpecificity(scores, 0.9)).Sensitivity());
    say("at_sensitivity",
        *CountAt(scores, *ThresholdAtSensitivity(scores, 0.9)).Specificity());
    say("youden", *CountAt(scores, *YoudenThreshold(scores)).Youden());
    const CalibrationLine line = FitCalibrationLine(scores);
    const auto error = [](const Coefficient& of) {
      return (of.interval95.high - of.value) / kZ95;
    };
    say("slope", line.slope->value);
    say("slope_error", error(*line.slope));
    say("intercept", line.intercept->value);
    say("intercept_error", error(*line.intercept));
  }
  ours["table balanced"] = BalancedAccuracy(Table())->value;
  ours["table kappa"] = CohensKappa(Table())->value;
  return ours;
}

std::string Input() {
  std::string lines;
  for (const auto& [name, drawn] : Sets()) {
    for (const DrawnCase& one : drawn.cases) {
      absl::StrAppendFormat(&lines, "%s %d %.17g\n", name, one.positive,
                            BinCentre(one.bin, drawn.positives.size()));
    }
  }
  const Confusion table = Table();
  for (int i = 0; i < 9; ++i) {
    for (uint64_t n = 0; n < table.count(i / 3, i % 3); ++n) {
      absl::StrAppend(&lines, "table ", i / 3, " ", i % 3, "\n");
    }
  }
  return lines;
}

// Runs a program over the scores and compares each line that it prints.
void CompareWith(const std::string& program, int least_figures,
                 double tolerance) {
  const std::string path =
      absl::StrCat(testing::TempDir(), "/reference-scores-", getpid());
  ASSERT_TRUE(WriteFileAtomically(path, Input(), Durability::kNone).ok());
  FILE* pipe = popen(absl::StrCat(program, " < ", path).c_str(), "r");
  std::string output;
  char buffer[4096];
  while (size_t got = fread(buffer, 1, sizeof buffer, pipe)) {
    output.append(buffer, got);
  }
  EXPECT_EQ(pclose(pipe), 0);
  std::remove(path.c_str());
  const Figures ours = OurFigures();
  std::istringstream lines(output);
  std::string set, metric;
  double value;
  int figures = 0;
  while (lines >> set >> metric >> value) {
    const auto own = ours.find(absl::StrCat(set, " ", metric));
    ASSERT_NE(own, ours.end()) << set << " " << metric;
    EXPECT_NEAR(own->second, value, tolerance * std::max(1.0, std::abs(value)))
        << set << " " << metric;
    ++figures;
  }
  EXPECT_GE(figures, least_figures);
}

TEST(MetricsReferenceTest, FiguresAreThoseOfScikitLearn) {
  // Only the distribution's Python has the distribution's packages.
  const char* python = "/usr/bin/python3";
  if (std::system(
          absl::StrCat(python, " -c 'import sklearn' 2>/dev/null").c_str()) !=
      0) {
    GTEST_SKIP() << "no scikit-learn here; Debian has python3-sklearn";
  }
  // Its logistic regression is a general optimiser: 5 digits.
  CompareWith(absl::StrCat(python, " ", HILUM_SOURCE_DIR,
                           "/tests/common/metrics/reference_scores.py"),
              38, 1e-5);
}

TEST(MetricsReferenceTest, FiguresAreThoseOfProc) {
  if (std::system("Rscript -e 'library(pROC)' >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "no pROC here; Debian has r-cran-proc";
  }
  // glm's standard errors are those of the step before the last.
  CompareWith("Rscript " HILUM_SOURCE_DIR
              "/tests/common/metrics/reference_scores.R",
              64, 1e-6);
}

}  // namespace
}  // namespace hilum
