// SPDX-License-Identifier: Apache-2.0
// Notes about the cases for the site's own people. They stay at the site.
#ifndef HILUM_SITE_AGENT_TRAINER_DATA_SITE_NOTES_H_
#define HILUM_SITE_AGENT_TRAINER_DATA_SITE_NOTES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "site_agent/trainer/data/prepared_study.h"

namespace hilum {

// Writes into `folder`, replacing files: rejected.csv (WriteRejected),
// rejected_masks.csv (`row,file,label,reason`), similar_patients.csv
// (FindSimilarPatients as `row,patient_id,other_row,other_patient_id`) and
// fingerprint.json: FingerprintJson of each arm, to compare with the cohort's
// fingerprint in the report.
absl::Status WriteSiteNotes(const PreparedStudy& study,
                            const std::string& folder);

// Returns a warning about similar patient_ids, with their row numbers; empty:
// none are similar.
std::string SimilarPatientsWarning(const CaseManifest& manifest);

// Says why an arm has no case, and what to do.
std::string NoCaseInArm(const CaseManifest& manifest, v1::Arm arm);

// Returns lines for the site's log: rows and masks that are not used, classes
// and arms without a case, patient_ids that may be one patient's, cases that
// the starting weights learned from.
std::vector<std::string> SiteWarnings(const PreparedStudy& study);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_DATA_SITE_NOTES_H_
