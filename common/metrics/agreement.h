// SPDX-License-Identifier: Apache-2.0
// Agreement of predicted and true classes over all classes at once.
#ifndef HILUM_COMMON_METRICS_AGREEMENT_H_
#define HILUM_COMMON_METRICS_AGREEMENT_H_

#include <optional>

#include "common/metrics/confusion.h"
#include "common/metrics/interval.h"

namespace hilum {

struct Agreement {
  double value;
  // Absent where it cannot be estimated.
  std::optional<Interval> interval95;
};

// Returns the mean of the sensitivities of the classes that have cases
// (Brodersen et al. 2010), with its interval by square-and-add of Wilson's
// (proportion.h). Nothing without cases.
std::optional<Agreement> BalancedAccuracy(const Confusion& confusion);

// Returns Cohen's kappa (Cohen 1960), (p_o - p_e) / (1 - p_e), where p_o is the
// accuracy and p_e = sum_i p_i. p_.i what it would be by chance; its interval
// is normal with the variance of Fleiss, Cohen, Everitt 1969. Without an
// interval where that variance is 0, as in perfect agreement. Nothing where p_e
// is 1: one class alone is both true and predicted.
std::optional<Agreement> CohensKappa(const Confusion& confusion);

}  // namespace hilum

#endif  // HILUM_COMMON_METRICS_AGREEMENT_H_
