// SPDX-License-Identifier: Apache-2.0
// Prints, as Markdown, how often the report's intervals hold the truth
// (docs/evaluation.md). Takes under a minute.
#include <iostream>

#include "absl/strings/str_format.h"
#include "tests/common/metrics/coverage.h"

namespace {

constexpr int kIidDraws = 10000;
constexpr int kStudies = 2000;

void PrintIid() {
  std::cout << "| true AUC | positives | negatives | pooled | mean of 5 folds "
               "| average precision | order perfect | pooled, without "
               "Newcombe's |\n|---|---|---|---|---|---|---|---|\n";
  const int kSizes[][2] = {{10, 40}, {25, 25}, {25, 100}, {50, 50}, {100, 400}};
  for (const double auc : {0.6, 0.75, 0.85, 0.95, 0.99}) {
    for (const auto& [positives, negatives] : kSizes) {
      const hilum::IidCoverage c =
          hilum::SimulateIid({auc, positives, negatives, kIidDraws});
      std::cout << absl::StrFormat(
          "| %g | %d | %d | %.3f | %.3f | %.3f | %.3f | %.3f |\n", auc,
          positives, negatives, c.pooled, c.fold_mean, c.average_precision,
          c.at_boundary, c.without_newcombe);
    }
  }
}

void PrintCrossValidation() {
  std::cout
      << "\n| cases | features | true AUC | pooled, mean | of folds, mean "
         "| pooled: these models | pooled: the procedure | folds: these "
         "models | folds: the procedure |\n"
         "|---|---|---|---|---|---|---|---|---|\n";
  for (const int cases : {100, 400}) {
    for (const int features : {2, 10, 40}) {
      const hilum::CrossValidationCoverage c =
          hilum::SimulateCrossValidation({.cases = cases,
                                          .features = features,
                                          .distance = 1.2,
                                          .folds = 5,
                                          .draws = kStudies});
      std::cout << absl::StrFormat(
          "| %d | %d | %.3f | %.3f | %.3f | %.3f | %.3f | %.3f | %.3f |\n",
          cases, features, c.true_auc, c.mean_pooled, c.mean_fold_mean,
          c.pooled_of_models, c.pooled_of_procedure, c.fold_mean_of_models,
          c.fold_mean_of_procedure);
    }
  }
}

}  // namespace

int main() {
  PrintIid();
  PrintCrossValidation();
  return 0;
}
