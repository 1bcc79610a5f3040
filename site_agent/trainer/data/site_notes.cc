// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/site_notes.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/csv.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/metrics/fingerprint.h"
#include "site_agent/trainer/data/case_manifest.h"

namespace hilum {
namespace {

std::string RejectedMasksCsv(const PreparedStudy& study) {
  std::string csv = "row,file,label,reason\n";
  for (size_t i = 0; i < study.cases().size(); ++i) {
    const std::string& fault = study.pool.data.facts[i].mask_fault;
    if (fault.empty()) continue;
    const CaseRow& row = study.cases()[i];
    absl::StrAppend(&csv, row.row, ",", CsvField(row.file), ",",
                    CsvField(study.study.classes(row.label)), ",",
                    CsvField(fault), "\n");
  }
  return csv;
}

std::string FingerprintsJson(const PreparedStudy& study) {
  std::vector<std::string> arms;
  for (int arm : study.study.arms()) {
    const auto value = static_cast<v1::Arm>(arm);
    arms.push_back(absl::StrCat("\"", ArmName(value), "\": ",
                                FingerprintJson(study.FingerprintOf(value))));
  }
  return absl::StrCat("{", absl::StrJoin(arms, ",\n"), "}\n");
}

absl::Status WriteNote(const std::string& folder, const char* name,
                       const std::string& text) {
  return WriteFileAtomically(absl::StrCat(folder, "/", name), text,
                             Durability::kNone, 0600);
}

// Says which tracks make their steps with smaller batches than the study's, and
// which arms are left out here.
void AddStepWarnings(const PreparedStudy& study,
                     std::vector<std::string>& warnings) {
  std::vector<std::string> smaller, left_out;
  for (v1::Arm arm : study.thin_arms) left_out.push_back(ArmName(arm));
  for (const Track& track : study.tracks) {
    const size_t cases = study.CasesOf(track, Part::kTraining).size();
    const size_t size = study.BatchSizeOf(cases);
    if (cases > 0 && size < study.study.training().batch_size()) {
      smaller.push_back(absl::StrCat(ArmTrackName(track), " ", size));
    }
  }
  if (!smaller.empty()) {
    warnings.push_back(absl::StrCat(
        "batches are smaller here than the study's ",
        study.study.training().batch_size(), ", so that each round makes ",
        study.minimum_steps,
        " steps of a track (policy.minimum_steps); cases a batch: ",
        absl::StrJoin(smaller, ", ")));
  }
  if (left_out.empty()) return;
  warnings.push_back(absl::StrCat(
      "this site takes no part in arm ", absl::StrJoin(left_out, ", "),
      ": a track of it has too few cases here for ", study.minimum_steps,
      " steps a round (policy.minimum_steps). Add cases, or take more local ",
      "epochs"));
}

}  // namespace

absl::Status WriteSiteNotes(const PreparedStudy& study,
                            const std::string& folder) {
  HILUM_RETURN_IF_ERROR(WriteRejected(study.pool.data.manifest,
                                      absl::StrCat(folder, "/rejected.csv")));
  HILUM_RETURN_IF_ERROR(
      WriteNote(folder, "rejected_masks.csv", RejectedMasksCsv(study)));
  return WriteNote(folder, "fingerprint.json", FingerprintsJson(study));
}

std::vector<std::string> SiteWarnings(const PreparedStudy& study) {
  std::vector<std::string> warnings;
  for (const RejectedRow& row : study.pool.data.manifest.rejected) {
    warnings.push_back(
        absl::StrCat("manifest row ", row.row, " is not used: ", row.reason));
  }
  for (size_t i = 0; i < study.cases().size(); ++i) {
    for (const std::string& note : study.pool.data.facts[i].notes) {
      warnings.push_back(
          absl::StrCat("manifest row ", study.cases()[i].row, ": ", note));
    }
    const std::string& fault = study.pool.data.facts[i].mask_fault;
    if (fault.empty()) continue;
    const CaseRow& row = study.cases()[i];
    warnings.push_back(absl::StrCat("manifest row ", row.row,
                                    ": its lung mask is not used: ", fault));
  }
  const std::vector<std::string> absent = study.AbsentClasses();
  if (!absent.empty()) {
    warnings.push_back(absl::StrCat("no case here is labelled ",
                                    absl::StrJoin(absent, ", "),
                                    "; other sites teach the model these"));
  }
  AddStepWarnings(study, warnings);
  return warnings;
}

}  // namespace hilum
