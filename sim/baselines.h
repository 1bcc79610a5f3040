// SPDX-License-Identifier: Apache-2.0
// Trains the baselines of a federation: the same study at each hospital alone,
// and at one site that holds all cases.
#ifndef HILUM_SIM_BASELINES_H_
#define HILUM_SIM_BASELINES_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "sim/prepare_run.h"
#include "site_agent/trainer/data/case_pool.h"

namespace hilum {

// Trains both baselines in this process after either engine has run `plan`,
// with the study's settings and folds. Adds them to OUT/report.json and
// report.html and to every site's predictions. Leaves their models and logs in
// OUT/baselines/local_only/SITE and OUT/baselines/centralized. Equal plans give
// equal bytes. Errors name the baseline; the reports then stay unchanged.
absl::Status RunBaselines(const RunPlan& plan);

// Returns the further sources of a trainer that has the cases of the first of
// `sites` (at least one) and needs all. Each source has its site's own key, so
// that the folds are those of the federated study.
absl::StatusOr<std::vector<CaseSource>> FurtherSources(
    absl::Span<const SimulatedSite> sites);

// Returns the number of patients (by patient_id) in the manifests of more than
// one site.
absl::StatusOr<int> CountSharedPatients(const RunPlan& plan);

}  // namespace hilum

#endif  // HILUM_SIM_BASELINES_H_
