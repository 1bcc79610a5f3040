// SPDX-License-Identifier: Apache-2.0
// What a trainer tells the site's own people of its cases. It stays there.
#ifndef HILUM_SITE_AGENT_TRAINER_DATA_SITE_NOTES_H_
#define HILUM_SITE_AGENT_TRAINER_DATA_SITE_NOTES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "site_agent/trainer/data/prepared_study.h"

namespace hilum {

// Writes into `folder`, replacing what is there: rejected.csv (WriteRejected),
// rejected_masks.csv (`row,file,label,reason`), similar_patients.csv
// (FindSimilarPatients as `row,patient_id,other_row,other_patient_id`) and
// fingerprint.json: by arm what FingerprintJson says, to compare with the
// cohort's in the report.
absl::Status WriteSiteNotes(const PreparedStudy& study,
                            const std::string& folder);

// Says that patient_ids are alike, by the numbers of their rows; empty: none
// are.
std::string SimilarPatientsWarning(const CaseManifest& manifest);

// Says why an arm has no case, and what to do.
std::string NoCaseInArm(const CaseManifest& manifest, v1::Arm arm);

// Returns lines for the site's log: rows and masks that are not used, classes
// and arms of which it has no case, patients who may be one.
std::vector<std::string> SiteWarnings(const PreparedStudy& study);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_DATA_SITE_NOTES_H_
