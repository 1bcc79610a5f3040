// SPDX-License-Identifier: Apache-2.0
// What federation is worth: the same study by each hospital alone, and by one
// site that holds all cases.
#ifndef HILUM_SIM_BASELINES_H_
#define HILUM_SIM_BASELINES_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "sim/prepare_run.h"
#include "site_agent/trainer/data/case_pool.h"

namespace hilum {

// After either engine has run `plan`: trains both baselines in this process,
// with the study's settings and folds, and adds them to OUT/report.json and
// report.html and to every site's predictions. Leaves their models and logs
// in OUT/baselines/local_only/SITE and OUT/baselines/centralized. Equal plans
// give equal bytes. Errors name the baseline; the reports are then as before.
absl::Status RunBaselines(const RunPlan& plan);

// What a trainer that has the cases of the first of `sites`, at least one,
// takes in beside them to have all: each with its site's own key, so that the
// folds are those of the federated study.
absl::StatusOr<std::vector<CaseSource>> FurtherSources(
    absl::Span<const SimulatedSite> sites);

// Patients (by patient_id) in the manifests of more than one site.
absl::StatusOr<int> CountSharedPatients(const RunPlan& plan);

}  // namespace hilum

#endif  // HILUM_SIM_BASELINES_H_
