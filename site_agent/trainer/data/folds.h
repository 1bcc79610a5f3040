// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_DATA_FOLDS_H_
#define HILUM_SITE_AGENT_TRAINER_DATA_FOLDS_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "site_agent/trainer/data/case_manifest.h"

namespace hilum {

// Returns the fold of every case, [cases], 0 .. folds-1. A patient's cases stay
// together; strata by label, see docs/architecture.md "Folds". Depends on the
// set of cases and the key, not on their order.
std::vector<int> DealFolds(absl::Span<const CaseRow> cases, int num_classes,
                           int folds, absl::string_view patient_key);

// Returns values in (0, 1), [cases], equal for all cases of a patient. The
// patients with a value under a share are about that share of each stratum.
// Drawn by the key, independently of the folds.
std::vector<double> ValidationRanks(absl::Span<const CaseRow> cases,
                                    int num_classes,
                                    absl::string_view patient_key);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_DATA_FOLDS_H_
