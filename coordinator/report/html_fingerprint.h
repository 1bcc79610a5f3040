// SPDX-License-Identifier: Apache-2.0
// What report.html says of how the prepared images look.
#ifndef HILUM_COORDINATOR_REPORT_HTML_FINGERPRINT_H_
#define HILUM_COORDINATOR_REPORT_HTML_FINGERPRINT_H_

#include <string>

#include "coordinator/study_result.h"

namespace hilum {

// Grays, lungs' share and sizes in each arm, of the sites whose census is known
// and of the cohort, and a warning where such a site differs from the rest of
// the cohort by more than a tenth. Empty where a study of before protocol 5 has
// none.
std::string FingerprintHtml(const StudyResult& result);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_REPORT_HTML_FINGERPRINT_H_
