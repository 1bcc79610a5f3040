// SPDX-License-Identifier: Apache-2.0
// What a trainer tells the site's own people of its cases. It stays there.
#ifndef HILUM_SITE_AGENT_TRAINER_DATA_SITE_NOTES_H_
#define HILUM_SITE_AGENT_TRAINER_DATA_SITE_NOTES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "site_agent/trainer/data/prepared_study.h"

namespace hilum {

// In `folder`, replacing what is there: rejected.csv (WriteRejected),
// rejected_masks.csv (`row,file,label,reason`) and fingerprint.json: by arm
// what FingerprintJson says, to compare with the cohort's in the report.
absl::Status WriteSiteNotes(const PreparedStudy& study,
                            const std::string& folder);

// Lines for its log: rows and masks that are not used, and classes of which it
// has no case.
std::vector<std::string> SiteWarnings(const PreparedStudy& study);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_DATA_SITE_NOTES_H_
