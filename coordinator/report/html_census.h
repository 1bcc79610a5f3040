// SPDX-License-Identifier: Apache-2.0
// The part of report.html about a study's cases.
#ifndef HILUM_COORDINATOR_REPORT_HTML_CENSUS_H_
#define HILUM_COORDINATOR_REPORT_HTML_CENSUS_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "coordinator/study_result.h"

namespace hilum {

// Returns the census of the sites and of the cohort, with a warning where
// nearly all cases of a class are at one site.
std::string CensusHtml(const StudyResult& result);

// Returns the number of rejected lung masks of each class; empty where
// CountMasks has none.
std::string MasksHtml(const StudyResult& result);

// Names the sites without figures beside the sums over `summed`, and the
// reason; empty where all are known.
std::string NotKnownHtml(
    const google::protobuf::RepeatedPtrField<std::string>& summed,
    absl::FunctionRef<bool(const std::string& site)> is_known);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_REPORT_HTML_CENSUS_H_
