// SPDX-License-Identifier: Apache-2.0
// What report.html says of the cases that a study had.
#ifndef HILUM_COORDINATOR_REPORT_HTML_CENSUS_H_
#define HILUM_COORDINATOR_REPORT_HTML_CENSUS_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "coordinator/study_result.h"

namespace hilum {

// The sites' census and the cohort's, and a warning where a class is nearly
// one site's alone.
std::string CensusHtml(const StudyResult& result);

// How many lung masks were not used, of each class; empty where CountMasks has
// nothing.
std::string MasksHtml(const StudyResult& result);

// Says of which sites there are no figures beside the sums over `summed`, and
// why; nothing where all are known.
std::string NotKnownHtml(
    const google::protobuf::RepeatedPtrField<std::string>& summed,
    absl::FunctionRef<bool(const std::string& site)> is_known);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_REPORT_HTML_CENSUS_H_
