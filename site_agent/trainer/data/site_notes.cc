// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/site_notes.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/csv.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/config/census.h"
#include "common/config/starting_weights.h"
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

std::string SimilarPatientsCsv(const PreparedStudy& study) {
  std::string csv = "row,patient_id,other_row,other_patient_id\n";
  for (const SimilarPatients& pair :
       FindSimilarPatients(study.pool.data.manifest)) {
    absl::StrAppend(&csv, pair.first->row, ",",
                    CsvField(pair.first->patient_id), ",", pair.second->row,
                    ",", CsvField(pair.second->patient_id), "\n");
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

void AddArmWarnings(const PreparedStudy& study,
                    std::vector<std::string>& warnings) {
  for (int arm : study.study.arms()) {
    const auto value = static_cast<v1::Arm>(arm);
    bool any = false;
    for (size_t i = 0; i < study.cases().size() && !any; ++i) {
      any = study.Has(value, i);
    }
    if (!any) warnings.push_back(NoCaseInArm(study.pool.data.manifest, value));
  }
}

// Names the tracks that need smaller batches than the study's, and the arms
// that are left out here.
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

// Says which cases the starting weights learned from, to this site only.
void AddSeenWarnings(const PreparedStudy& study,
                     std::vector<std::string>& warnings) {
  const SeenCases& seen = study.pool.seen;
  if (seen.patients > 0) {
    const char* what =
        seen.patients < kSeenPatients
            ? "fewer than ten patients, who are not counted in the sum and "
              "stay in the evaluation"
        : ExcludesSeen(study.study)
            ? "they are trained on, and left out of the evaluation"
            : "they are trained on and in the evaluation, whose figures are "
              "then too good";
    warnings.push_back(absl::StrCat(
        seen.cases, " cases of ", seen.patients,
        " patients of whom the starting weights have seen an image: ", what));
  }
  const uint64_t not_compared = study.pool.seen_by_tools.not_compared;
  if (not_compared == 0 || !ListsImages(study.study)) return;
  warnings.push_back(absl::StrCat(
      not_compared,
      " cases were not compared with the images that the starting weights "
      "learned from: an earlier release of hilum-ingest has stored them "
      "without a digest. Make the case store anew to compare them"));
}

}  // namespace

absl::Status WriteSiteNotes(const PreparedStudy& study,
                            const std::string& folder) {
  HILUM_RETURN_IF_ERROR(WriteRejected(study.pool.data.manifest,
                                      absl::StrCat(folder, "/rejected.csv")));
  HILUM_RETURN_IF_ERROR(
      WriteNote(folder, "rejected_masks.csv", RejectedMasksCsv(study)));
  HILUM_RETURN_IF_ERROR(
      WriteNote(folder, "similar_patients.csv", SimilarPatientsCsv(study)));
  return WriteNote(folder, "fingerprint.json", FingerprintsJson(study));
}

std::string SimilarPatientsWarning(const CaseManifest& manifest) {
  const std::vector<SimilarPatients> pairs = FindSimilarPatients(manifest);
  if (pairs.empty()) return "";
  constexpr size_t kMost = 5;
  std::vector<std::string> rows;
  for (size_t i = 0; i < std::min(kMost, pairs.size()); ++i) {
    rows.push_back(
        absl::StrCat(pairs[i].first->row, " and ", pairs[i].second->row));
  }
  return absl::StrCat(
      pairs.size(), pairs.size() == 1 ? " patient_id is" : " patient_ids are",
      " like another's but for capitals, blanks, leading zeros or a \".0\" "
      "(manifest rows ",
      absl::StrJoin(rows, "; "), pairs.size() > kMost ? "; ..." : "",
      "); they count as different patients, who may be in different folds: if "
      "they are the same, write the id alike in all rows");
}

std::string NoCaseInArm(const CaseManifest& manifest, v1::Arm arm) {
  const bool any_mask =
      std::any_of(manifest.cases.begin(), manifest.cases.end(),
                  [](const CaseRow& row) { return !row.mask.empty(); });
  return absl::StrCat(
      "the arm ", ArmName(arm), " has no case here: ",
      any_mask ? "no lung mask can be used (rejected_masks.csv and `hilum-site "
                 "doctor` say why)"
               : "no row of the manifest names a lung mask in a column mask",
      "; this site does not train it. `hilum-trainer segment run` makes masks");
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
  const std::string similar = SimilarPatientsWarning(study.pool.data.manifest);
  if (!similar.empty()) warnings.push_back(similar);
  AddArmWarnings(study, warnings);
  AddStepWarnings(study, warnings);
  AddSeenWarnings(study, warnings);
  return warnings;
}

}  // namespace hilum
