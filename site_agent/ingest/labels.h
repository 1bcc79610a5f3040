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

// What a labels file may name images by, in the order of the bits in `columns`.
inline constexpr const char* kLabelColumns[] = {"file",
                                                "PatientID",
                                                "IssuerOfPatientID",
                                                "StudyInstanceUID",
                                                "AccessionNumber",
                                                "SOPInstanceUID"};
inline constexpr int kNumLabelColumns = 6;
inline constexpr int kSopColumn = 5;  // SOPInstanceUID's

// The pseudonyms of what an image is called; empty where it is not known.
struct IdKeys {
  std::string of[kNumLabelColumns];  // as kLabelColumns; 32 raw bytes each
};

// `name`: the file's path as FolderWalk has it.
IdKeys KeysOf(const Pseudonyms& pseudonyms, absl::string_view name,
              const ImageIds& ids);

// One key of all the columns whose bit is set; empty where one is not known.
std::string CombinedKey(const IdKeys& keys, int columns);

struct LabelRow {
  int columns = 0;  // bits: those that this row names
  std::string key;  // CombinedKey
  std::string label;
  std::string patient;  // Pseudonyms::Patient of `patient_id`; may be empty
  std::string
      problem;  // why the row counts for nothing, with the rows' numbers
};

struct LabelFile {
  std::vector<LabelRow> rows;       // each (columns, key) once
  std::vector<std::string> unused;  // "LABELS:ROW: why"; no cell is quoted
  // In the same form: rows that count, and may be mistaken.
  std::vector<std::string> notes;
};

// Reads a CSV file (ReadCsvTable) with a header that names `label`, one or more
// of kLabelColumns, and optionally `patient_id` for images that do not say
// whose they are; other columns do not count. A row holds for the images to
// which all of its cells that are not empty apply. `file` is absolute or below
// the labels file's folder or `folder`, the one that is read. Two labels for
// the same are a problem, not a choice. INVALID_ARGUMENT: no such header;
// NOT_FOUND, PERMISSION_DENIED: the file.
absl::StatusOr<LabelFile> ReadLabelFile(const std::string& path,
                                        const std::string& folder,
                                        const Pseudonyms& pseudonyms);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_LABELS_H_
