// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/overlap.h"

#include <algorithm>
#include <cmath>

namespace hilum {
namespace {

std::optional<PatientMean> MeanOf(uint64_t patients, double sum,
                                  double square_sum) {
  if (patients == 0) return std::nullopt;
  const double n = static_cast<double>(patients);
  PatientMean result{.mean = sum / n, .interval95 = std::nullopt};
  if (patients < 2) return result;
  const double z = 1.959963984540054;
  // The variance is below 0 by rounding only.
  const double variance =
      std::max((square_sum - n * result.mean * result.mean) / (n - 1), 0.0);
  const double half = z * std::sqrt(variance / n);
  result.interval95 = {std::clamp(result.mean - half, 0.0, 1.0),
                       std::clamp(result.mean + half, 0.0, 1.0)};
  return result;
}

}  // namespace

std::optional<PatientMean> MeanDice(const v1::Overlap& overlap) {
  return MeanOf(overlap.patients(), overlap.dice_sum(),
                overlap.dice_square_sum());
}

std::optional<PatientMean> MeanIou(const v1::Overlap& overlap) {
  return MeanOf(overlap.patients(), overlap.iou_sum(),
                overlap.iou_square_sum());
}

std::optional<double> ImplausibleShare(const v1::Overlap& overlap) {
  if (overlap.cases() == 0) return std::nullopt;
  return static_cast<double>(overlap.implausible()) /
         static_cast<double>(overlap.cases());
}

void AddOverlap(const v1::Overlap& overlap, v1::Overlap& sum) {
  sum.set_cases(sum.cases() + overlap.cases());
  sum.set_patients(sum.patients() + overlap.patients());
  sum.set_implausible(sum.implausible() + overlap.implausible());
  sum.set_dice_sum(sum.dice_sum() + overlap.dice_sum());
  sum.set_dice_square_sum(sum.dice_square_sum() + overlap.dice_square_sum());
  sum.set_iou_sum(sum.iou_sum() + overlap.iou_sum());
  sum.set_iou_square_sum(sum.iou_square_sum() + overlap.iou_square_sum());
}

}  // namespace hilum
