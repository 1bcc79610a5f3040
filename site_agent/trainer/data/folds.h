// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_DATA_FOLDS_H_
#define HILUM_SITE_AGENT_TRAINER_DATA_FOLDS_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "site_agent/trainer/data/case_manifest.h"

namespace hilum {

// The fold of every case, [cases], 0 .. folds-1: patients whole, strata by
// label, as docs/architecture.md "Folds" says. Depends on the set of cases
// and the key, not on their order.
std::vector<int> DealFolds(absl::Span<const CaseRow> cases, int num_classes,
                           int folds, absl::string_view patient_key);

// In (0, 1), [cases], equal for all of a patient's: those under a share are
// about that share of each stratum's patients. Drawn by the key, apart from
// the folds.
std::vector<double> ValidationRanks(absl::Span<const CaseRow> cases,
                                    int num_classes,
                                    absl::string_view patient_key);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_DATA_FOLDS_H_
