// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_REPORT_STARTING_WEIGHTS_JSON_H_
#define HILUM_COORDINATOR_REPORT_STARTING_WEIGHTS_JSON_H_

#include <nlohmann/json.hpp>

#include "coordinator/study_result.h"

namespace hilum {

// Returns report.json's `starting_weights` (docs/report.md): the file, what its
// weights learned from, and how many of the study's cases are among that.
nlohmann::json StartingWeightsJson(const StudyResult& result);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_REPORT_STARTING_WEIGHTS_JSON_H_
