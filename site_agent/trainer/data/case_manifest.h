// SPDX-License-Identifier: Apache-2.0
// The CSV that lists a site's radiographs.
#ifndef HILUM_SITE_AGENT_TRAINER_DATA_CASE_MANIFEST_H_
#define HILUM_SITE_AGENT_TRAINER_DATA_CASE_MANIFEST_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/base/csv.h"

namespace hilum {

struct CaseRow {
  int row = 0;  // 1 is the header, as an editor or a spreadsheet counts
  // The cell without blanks around it. Predictions name the case by it.
  std::string file;
  std::string path;        // `file` below the manifest's folder, or absolute
  std::string mask;        // path, or empty
  int label = 0;           // index into the study's classes
  std::string patient_id;  // as NormalPatientId has it
};

struct RejectedRow {
  int row;
  std::string file;
  std::string reason;
};

struct CaseManifest {
  std::vector<CaseRow> cases;         // in the file's order
  std::vector<RejectedRow> rejected;  // by row
  int rows = 0;                       // of this site, used or not
  CsvDialect dialect;                 // of the file
};

struct ManifestOptions {
  std::string site_column;  // with site: other sites' rows do not count
  std::string site;
};

// Reads a manifest. Columns are found by ColumnName, so that capitals and
// blanks do not count. Rows of blank cells are no rows. Rejects rows with an
// empty file, an unknown label, an empty patient or too few columns.
// INVALID_ARGUMENT: no header, a required column missing or twice, no CSV;
// NOT_FOUND, PERMISSION_DENIED: the file.
absl::StatusOr<CaseManifest> ReadCaseManifest(
    const std::string& path, absl::Span<const std::string> classes,
    const ManifestOptions& options);

// The reason why case `index` cannot be used.
struct CaseFault {
  size_t index;
  std::string reason;
};

// Moves the faulty cases to `rejected`, which stays sorted by row.
void RejectCases(CaseManifest& manifest, absl::Span<const CaseFault> faults);

// Returns faults of cases whose images have the same pixels. Under different
// patients all of them are faulty, each naming another's row; under one patient
// all but the first. `digests` [cases].
std::vector<CaseFault> FindDuplicates(const CaseManifest& manifest,
                                      absl::Span<const std::string> digests);

// Two rows whose patient_ids differ but have the same PatientIdKey: they count
// as two patients, and may be one person.
struct SimilarPatients {
  const CaseRow* first;
  const CaseRow* second;  // the first row of its id
};

// Returns them by the second row.
std::vector<SimilarPatients> FindSimilarPatients(const CaseManifest& manifest);

// Returns INVALID_ARGUMENT with the first reasons where more than
// `max_bad_share` of the rows were rejected, or none is left.
absl::Status CheckBadShare(const CaseManifest& manifest, double max_bad_share);

// Writes `row,file,reason`, replacing the file.
absl::Status WriteRejected(const CaseManifest& manifest,
                           const std::string& path);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_DATA_CASE_MANIFEST_H_
