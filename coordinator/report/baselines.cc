// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/baselines.h"

#include "common/aggregation/statistics_vector.h"

namespace hilum {

std::vector<CrossSiteScores> ComputeCrossSiteScores(
    const v1::Study& study, const v1::SubmitEvaluationRequest& evaluation) {
  StudyResult one_site{.study = study};
  one_site.evaluation_totals =
      SumEvaluations(study, {{SiteId("tested"), evaluation}});
  std::vector<CrossSiteScores> scores;
  for (const ArmMetrics& arm : ComputeArmMetrics(one_site)) {
    const Confusion& confusion = arm.pooled.confusion;
    scores.push_back({.n = confusion.Total(),
                      .accuracy = confusion.Accuracy(),
                      .macro_auc = arm.pooled.MacroAuc()});
  }
  return scores;
}

BaselineMetrics ComputeBaselineMetrics(const Baselines& baselines) {
  BaselineMetrics metrics{.baselines = baselines};
  if (baselines.empty()) return metrics;
  StudyResult own{.study = baselines.centralized.study};
  for (const auto& [site, alone] : baselines.local_only) {
    own.evaluations[site] = alone.evaluations.at(site);
  }
  own.evaluation_totals = SumEvaluations(own.study, own.evaluations);
  metrics.local_only = ComputeArmMetrics(own);
  metrics.centralized = ComputeArmMetrics(baselines.centralized);
  return metrics;
}

}  // namespace hilum
