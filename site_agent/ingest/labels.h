// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_LABELS_H_
#define HILUM_SITE_AGENT_INGEST_LABELS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "site_agent/ingest/pseudonyms.h"
#include "site_agent/ingest/read_image.h"

namespace hilum {

// Columns by which a labels file names images, in the order of the bits in
// `columns`.
inline constexpr const char* kLabelColumns[] = {"file",
                                                "PatientID",
                                                "IssuerOfPatientID",
                                                "StudyInstanceUID",
                                                "AccessionNumber",
                                                "SOPInstanceUID"};
inline constexpr int kNumLabelColumns = 6;
inline constexpr int kSopColumn = 5;  // SOPInstanceUID's column

// Pseudonyms of an image's names; empty if not known.
struct IdKeys {
  std::string of[kNumLabelColumns];  // see kLabelColumns; 32 raw bytes each
};

// `name`: the file's path from FolderWalk.
IdKeys KeysOf(const Pseudonyms& pseudonyms, absl::string_view name,
              const ImageIds& ids);

// Returns one key for all the columns whose bit is set; empty if one is not
// known.
std::string CombinedKey(const IdKeys& keys, int columns);

struct LabelRow {
  int columns = 0;  // bits of the columns that this row fills
  std::string key;  // CombinedKey
  std::string label;
  std::string patient;  // Pseudonyms::Patient of `patient_id`; may be empty
  std::string problem;  // why the row is not used, with the rows' numbers
};

struct LabelFile {
  std::vector<LabelRow> rows;       // each (columns, key) once
  std::vector<std::string> unused;  // "LABELS:ROW: why"; no cell is quoted
  // In the same form: rows that are used, but may be mistaken.
  std::vector<std::string> notes;
};

// Reads a CSV file (ReadCsvTable) with a header that names `label`, one or more
// of kLabelColumns, and optionally `patient_id` for images without a patient;
// ignores other columns. A row applies to the images that match all its filled
// cells. `file` is absolute, or relative to the labels file's folder or to
// `folder`, the folder being read. Two labels for the same images are a
// problem, not a choice. INVALID_ARGUMENT: no such header; NOT_FOUND,
// PERMISSION_DENIED: the file.
absl::StatusOr<LabelFile> ReadLabelFile(const std::string& path,
                                        const std::string& folder,
                                        const Pseudonyms& pseudonyms);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_LABELS_H_
