// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_STUDY_RESULT_H_
#define HILUM_COORDINATOR_STUDY_RESULT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/base/ids.h"
#include "hilum/v1/federation.pb.h"
#include "hilum/v1/study.pb.h"
#include "hilum/v1/totals.pb.h"

namespace hilum {

// One training round as it was committed.
struct RoundSummary {
  uint32_t round;                    // from 1
  std::vector<SiteId> contributors;  // sorted; none: its sum was lost
  std::vector<double> mean_loss;     // [tracks]; NaN where nobody trained
};

// All that a finished study leaves with the coordinator: the input of the
// reports and of the export. Holds no time, path or transport, so equal
// studies give equal reports.
struct StudyResult {
  v1::Study study;
  std::string study_hash;  // 32 raw bytes
  // Of the whole cohort, in the study's shape.
  v1::CensusTotals census_totals;
  v1::EvaluationTotals evaluation_totals;
  // Of the sites whose figures are known one by one: all of them or, with
  // secure aggregation, those that publish theirs. A census without arms is
  // not published.
  std::map<SiteId, v1::SubmitCensusRequest> census;
  std::map<SiteId, v1::SubmitEvaluationRequest> evaluations;
  std::vector<RoundSummary> rounds;
  std::vector<std::string> model_sha256;  // [tracks], hex, of the exported
                                          // safetensors file
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_STUDY_RESULT_H_
