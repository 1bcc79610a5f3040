// SPDX-License-Identifier: Apache-2.0
#include "tests/common/metrics/coverage.h"

#include <cmath>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/rng.h"
#include "common/metrics/fold_mean_auc.h"
#include "common/metrics/precision_recall.h"
#include "tests/common/metrics/drawn_scores.h"

namespace hilum {
namespace {

constexpr size_t kBins = 1024;
constexpr int kFolds = 5;

using Row = std::vector<double>;

double NormalBelow(double z) { return std::erfc(-z / std::sqrt(2.0)) / 2; }

// Returns d with NormalBelow(d / sqrt(2)) = auc.
double DistanceOf(double auc) {
  double low = 0, high = 10;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (NormalBelow(middle / std::sqrt(2.0)) < auc ? low : high) = middle;
  }
  return low;
}

// Returns the average precision that these distributions have: the integral of
// precision over recall.
double TruePrecision(double distance, double prevalence) {
  double sum = 0, last_recall = 0;
  for (double t = distance + 8; t > -8; t -= 1e-3) {
    const double recall = NormalBelow(distance - t);
    const double hits = prevalence * recall;
    const double wrong = (1 - prevalence) * NormalBelow(-t);
    sum += (recall - last_recall) * hits / (hits + wrong);
    last_recall = recall;
  }
  return sum;
}

bool Holds(const std::optional<Interval>& interval, double truth) {
  return interval && interval->low <= truth && truth <= interval->high;
}

BinnedAuc AucOf(const DrawnScores& scores) {
  return *ComputeBinnedAuc(scores.positives, scores.negatives);
}

// All cases, and each fold's.
struct Scored {
  DrawnScores pooled{kBins};
  std::vector<DrawnScores> folds;

  explicit Scored(int count)
      : folds(static_cast<size_t>(count), DrawnScores(kBins)) {}
  void Add(int fold, bool positive, double score) {
    pooled.Add(positive, score);
    folds[static_cast<size_t>(fold)].Add(positive, score);
  }
  FoldMeanAuc FoldMean() const {
    std::vector<BinnedAuc> aucs;
    for (const DrawnScores& fold : folds) aucs.push_back(AucOf(fold));
    return *MeanOverFolds(aucs);
  }
};

Row MeanOf(const std::vector<Row>& rows, int folds, int left_out) {
  Row mean(rows[0].size());
  double count = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (static_cast<int>(i) % folds == left_out) continue;
    for (size_t f = 0; f < mean.size(); ++f) mean[f] += rows[i][f];
    ++count;
  }
  for (double& value : mean) value /= count;
  return mean;
}

// Each class's cases, [cases / 2][features]; only the first feature tells.
std::vector<Row> DrawRows(const CrossValidationSetting& setting, double mean,
                          Rng& rng) {
  std::vector<Row> rows(static_cast<size_t>(setting.cases / 2),
                        Row(static_cast<size_t>(setting.features)));
  for (Row& row : rows) {
    for (double& value : row) value = rng.Normal();
    row[0] += mean;
  }
  return rows;
}

// Scores the cases by the models of their folds; returns the models' mean true
// AUC.
double CrossValidate(const CrossValidationSetting& setting, Rng& rng,
                     Scored& scored) {
  const std::vector<Row> sick = DrawRows(setting, setting.distance, rng);
  const std::vector<Row> well = DrawRows(setting, 0, rng);
  double truth = 0;
  for (int fold = 0; fold < setting.folds; ++fold) {
    const Row a = MeanOf(sick, setting.folds, fold);
    const Row b = MeanOf(well, setting.folds, fold);
    double square = 0;
    for (size_t f = 0; f < a.size(); ++f) square += std::pow(a[f] - b[f], 2);
    truth +=
        NormalBelow((a[0] - b[0]) * setting.distance / std::sqrt(2 * square)) /
        setting.folds;
    const auto score = [&](const Row& row) {
      double sum = 0;
      for (size_t f = 0; f < a.size(); ++f) {
        sum += (a[f] - b[f]) * (row[f] - (a[f] + b[f]) / 2);
      }
      return sum;
    };
    for (size_t i = static_cast<size_t>(fold); i < sick.size();
         i += static_cast<size_t>(setting.folds)) {
      scored.Add(fold, true, score(sick[i]));
      scored.Add(fold, false, score(well[i]));
    }
  }
  return truth;
}

}  // namespace

IidCoverage SimulateIid(const IidSetting& setting) {
  const double distance = DistanceOf(setting.auc);
  const double precision =
      TruePrecision(distance, static_cast<double>(setting.positives) /
                                  (setting.positives + setting.negatives));
  Rng rng(1, absl::StrCat("iid ", setting.auc, " ", setting.positives, " ",
                          setting.negatives));
  IidCoverage sum{};
  for (int draw = 0; draw < setting.draws; ++draw) {
    Scored scored(kFolds);
    for (int i = 0; i < setting.positives; ++i) {
      scored.Add(i % kFolds, true, rng.Normal() + distance);
    }
    for (int i = 0; i < setting.negatives; ++i) {
      scored.Add(i % kFolds, false, rng.Normal());
    }
    const BinnedAuc auc = AucOf(scored.pooled);
    const bool holds = Holds(auc.interval95, setting.auc);
    sum.pooled += holds;
    sum.without_newcombe += holds && !auc.HasNewcombeInterval();
    sum.at_boundary += auc.HasNewcombeInterval();
    sum.fold_mean += Holds(scored.FoldMean().interval95, setting.auc);
    sum.average_precision += Holds(
        ComputeAveragePrecision(scored.pooled.view())->interval95, precision);
  }
  for (double* share : {&sum.pooled, &sum.fold_mean, &sum.average_precision,
                        &sum.at_boundary, &sum.without_newcombe}) {
    *share /= setting.draws;
  }
  return sum;
}

CrossValidationCoverage SimulateCrossValidation(
    const CrossValidationSetting& setting) {
  struct Draw {
    BinnedAuc pooled;
    FoldMeanAuc fold_mean;
    double truth;
  };
  Rng rng(1, absl::StrCat("cross-validation ", setting.cases, " ",
                          setting.features, " ", setting.distance));
  std::vector<Draw> draws;
  CrossValidationCoverage result{};
  for (int i = 0; i < setting.draws; ++i) {
    Scored scored(setting.folds);
    const double truth = CrossValidate(setting, rng, scored);
    draws.push_back({AucOf(scored.pooled), scored.FoldMean(), truth});
    result.true_auc += truth / setting.draws;
  }
  const double share = 1.0 / setting.draws;
  for (const Draw& draw : draws) {
    const auto& pooled = draw.pooled.interval95;
    const auto& mean = draw.fold_mean.interval95;
    result.pooled_of_models += share * Holds(pooled, draw.truth);
    result.pooled_of_procedure += share * Holds(pooled, result.true_auc);
    result.fold_mean_of_models += share * Holds(mean, draw.truth);
    result.fold_mean_of_procedure += share * Holds(mean, result.true_auc);
    result.mean_pooled += share * draw.pooled.auc;
    result.mean_fold_mean += share * draw.fold_mean.auc;
  }
  return result;
}

}  // namespace hilum
