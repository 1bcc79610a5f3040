// SPDX-License-Identifier: Apache-2.0
// Measures the way from a million scores in four classes and five folds to all
// figures of a report, on one core.
#include <algorithm>
#include <chrono>
#include <iostream>
#include <vector>

#include "absl/strings/str_format.h"
#include "common/base/rng.h"
#include "common/config/study.h"
#include "common/metrics/agreement.h"
#include "coordinator/report/class_figures.h"

namespace hilum {
namespace {

constexpr int kScores = 1'000'000;
constexpr int kClasses = 4;
constexpr int kFolds = 5;

double Seconds(std::chrono::steady_clock::time_point since) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - since)
      .count();
}

void Run() {
  v1::Study study;
  for (const char* label : {"a", "b", "c", "d"}) study.add_classes(label);
  FillStudyDefaults(study);
  const double bins = study.evaluation().score_bins();
  // A score is one case's for one class.
  constexpr int kCases = kScores / kClasses;
  std::vector<float> log_odds(kScores);
  Rng rng(1, "metrics bench");
  for (int i = 0; i < kScores; ++i) {
    const bool positive = i % kClasses == i / kClasses % kClasses;
    log_odds[static_cast<size_t>(i)] =
        static_cast<float>(2 * rng.Normal() + (positive ? 2 : -1));
  }
  const auto begin = std::chrono::steady_clock::now();
  std::vector<PooledScores> folds(kFolds, PooledScores(study));
  PooledScores pooled(study);
  for (int i = 0; i < kCases; ++i) {
    const float* scores = &log_odds[static_cast<size_t>(i * kClasses)];
    const int truth = i % kClasses;
    const auto guess =
        static_cast<int>(std::max_element(scores, scores + kClasses) - scores);
    for (PooledScores* of :
         {&folds[static_cast<size_t>(i % kFolds)], &pooled}) {
      of->confusion.Add(truth, guess, 1);
      for (int c = 0; c < kClasses; ++c) {
        const auto bin = static_cast<size_t>(
            std::clamp((scores[c] + 16) / 32 * bins, 0.0, bins - 1));
        const size_t at = static_cast<size_t>(c);
        ++(c == truth ? of->positives : of->negatives)[at][bin];
      }
    }
  }
  const double binned = Seconds(begin);
  const std::vector<ClassFigures> figures = ComputeAllFigures(pooled, folds);
  const double kappa = CohensKappa(pooled.confusion)->value;
  const double all = Seconds(begin);
  std::cout << absl::StrFormat(
      "%d scores: binned in %.3f s, all figures after %.3f s (average "
      "precision %.3f, kappa %.3f)\n",
      kScores, binned, all, figures[0].average_precision->value, kappa);
}

}  // namespace
}  // namespace hilum

int main() {
  hilum::Run();
  return 0;
}
