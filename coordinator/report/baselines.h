// SPDX-License-Identifier: Apache-2.0
// Comparisons of a federated model in a simulation, where the cases of all
// sites can be brought together.
#ifndef HILUM_COORDINATOR_REPORT_BASELINES_H_
#define HILUM_COORDINATOR_REPORT_BASELINES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "coordinator/report/arm_metrics.h"
#include "coordinator/study_result.h"

namespace hilum {

// Scores of one site's model on one site's held-out cases, all folds.
struct CrossSiteScores {
  uint64_t n;
  std::optional<double> accuracy;
  std::optional<double> macro_auc;
};

// Empty, or with an entry in local_only and matrix for every site.
struct Baselines {
  // By site: the study with that site alone, evaluated on its own cases.
  std::map<SiteId, StudyResult> local_only;
  // matrix[trained at][tested at]: [arms of the study].
  std::map<SiteId, std::map<SiteId, std::vector<CrossSiteScores>>> matrix;
  // The study of one site with all cases, evaluated on each site's cases.
  StudyResult centralized;

  bool empty() const { return local_only.empty(); }
};

// Returns [arms of `study`].
std::vector<CrossSiteScores> ComputeCrossSiteScores(
    const v1::Study& study, const v1::SubmitEvaluationRequest& evaluation);

struct BaselineMetrics {
  const Baselines& baselines;
  // [arms], none without baselines. Local only: each site's cases scored by
  // that site's model; without losses, which each site has for itself.
  std::vector<ArmMetrics> local_only;
  std::vector<ArmMetrics> centralized;
};

// `baselines` outlives the result.
BaselineMetrics ComputeBaselineMetrics(const Baselines& baselines);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_REPORT_BASELINES_H_
