// SPDX-License-Identifier: Apache-2.0
// The part of report.html about the look of the prepared images.
#ifndef HILUM_COORDINATOR_REPORT_HTML_FINGERPRINT_H_
#define HILUM_COORDINATOR_REPORT_HTML_FINGERPRINT_H_

#include <string>

#include "coordinator/study_result.h"

namespace hilum {

// Returns grays, lungs' share and sizes in each arm, for the sites with a known
// census and for the cohort, with a warning where such a site differs from the
// rest of the cohort by more than a tenth. Empty for a study from before
// protocol 5, which has none.
std::string FingerprintHtml(const StudyResult& result);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_REPORT_HTML_FINGERPRINT_H_
