// SPDX-License-Identifier: Apache-2.0
// What a federated model is compared with, where its cases could be brought
// together: in a simulation.
#ifndef HILUM_COORDINATOR_REPORT_BASELINES_H_
#define HILUM_COORDINATOR_REPORT_BASELINES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "coordinator/report/arm_metrics.h"
#include "coordinator/study_result.h"

namespace hilum {

// One site's model on one site's held-out cases, all folds.
struct CrossSiteScores {
  uint64_t n;
  std::optional<double> accuracy;
  std::optional<double> macro_auc;
};

// Empty, or with an entry in local_only and matrix for every site.
struct Baselines {
  // By site: the study of that site alone, evaluated by itself.
  std::map<SiteId, StudyResult> local_only;
  // matrix[trained at][tested at]: [arms of the study].
  std::map<SiteId, std::map<SiteId, std::vector<CrossSiteScores>>> matrix;
  // The study of one site with all cases, evaluated by the sites they are of.
  StudyResult centralized;

  bool empty() const { return local_only.empty(); }
};

// [arms of `study`].
std::vector<CrossSiteScores> ComputeCrossSiteScores(
    const v1::Study& study, const v1::SubmitEvaluationRequest& evaluation);

struct BaselineMetrics {
  const Baselines& baselines;
  // [arms], none without baselines. Local only: each site's cases by the
  // model of that site; without losses, which are each site's own.
  std::vector<ArmMetrics> local_only;
  std::vector<ArmMetrics> centralized;
};

// `baselines` outlives the result.
BaselineMetrics ComputeBaselineMetrics(const Baselines& baselines);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_REPORT_BASELINES_H_
