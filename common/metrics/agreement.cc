// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/agreement.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "common/metrics/proportion.h"

namespace hilum {
namespace {

// Shares of all cases.
struct Margins {
  std::vector<double> truth;
  std::vector<double> predicted;
  double agree = 0;   // p_o
  double chance = 0;  // p_e
};

double ShareOf(const Confusion& confusion, int truth, int predicted) {
  return static_cast<double>(confusion.count(truth, predicted)) /
         static_cast<double>(confusion.Total());
}

Margins MarginsOf(const Confusion& confusion) {
  const int classes = confusion.num_classes();
  Margins margins;
  margins.truth.resize(static_cast<size_t>(classes));
  margins.predicted.resize(margins.truth.size());
  for (int i = 0; i < classes; ++i) {
    for (int j = 0; j < classes; ++j) {
      const double share = ShareOf(confusion, i, j);
      margins.truth[static_cast<size_t>(i)] += share;
      margins.predicted[static_cast<size_t>(j)] += share;
      if (i == j) margins.agree += share;
    }
  }
  for (size_t i = 0; i < margins.truth.size(); ++i) {
    margins.chance += margins.truth[i] * margins.predicted[i];
  }
  return margins;
}

// Returns the variance of kappa, times the cases.
double KappaVariance(const Confusion& confusion, const Margins& margins,
                     double kappa) {
  const double rest = 1 - kappa;
  double sum = 0;
  for (int i = 0; i < confusion.num_classes(); ++i) {
    const size_t row = static_cast<size_t>(i);
    for (int j = 0; j < confusion.num_classes(); ++j) {
      const size_t column = static_cast<size_t>(j);
      const double share = ShareOf(confusion, i, j);
      // The paper's p_.i + p_j.: the margins of the cell are crossed.
      const double crossed =
          (margins.predicted[row] + margins.truth[column]) * rest;
      sum += share * std::pow((i == j ? 1 : 0) - crossed, 2);
    }
  }
  const double off = kappa - margins.chance * rest;
  return (sum - off * off) / std::pow(1 - margins.chance, 2);
}

}  // namespace

std::optional<Agreement> BalancedAccuracy(const Confusion& confusion) {
  std::vector<WeightedProportion> terms;
  double sum = 0;
  for (int c = 0; c < confusion.num_classes(); ++c) {
    const std::optional<double> sensitivity = confusion.Sensitivity(c);
    if (!sensitivity) continue;
    terms.push_back({1, *sensitivity, *confusion.SensitivityInterval95(c)});
    sum += *sensitivity;
  }
  if (terms.empty()) return std::nullopt;
  const double classes = static_cast<double>(terms.size());
  for (WeightedProportion& term : terms) term.weight = 1 / classes;
  return Agreement{sum / classes, SquareAndAdd(terms)};
}

std::optional<Agreement> CohensKappa(const Confusion& confusion) {
  if (confusion.Total() == 0) return std::nullopt;
  const Margins margins = MarginsOf(confusion);
  if (margins.chance > 1 - 1e-12) return std::nullopt;
  Agreement kappa{(margins.agree - margins.chance) / (1 - margins.chance),
                  std::nullopt};
  const double variance = KappaVariance(confusion, margins, kappa.value) /
                          static_cast<double>(confusion.Total());
  if (variance <= 1e-15) return kappa;
  const double half = kZ95 * std::sqrt(variance);
  kappa.interval95 = {std::max(-1.0, kappa.value - half),
                      std::min(1.0, kappa.value + half)};
  return kappa;
}

}  // namespace hilum
