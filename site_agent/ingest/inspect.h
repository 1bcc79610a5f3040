// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_INSPECT_H_
#define HILUM_SITE_AGENT_INGEST_INSPECT_H_

#include <optional>
#include <string>
#include <vector>

#include "site_agent/imaging/dicom/film_words.h"

namespace hilum {

// The result of inspecting a DICOM file. Has nothing from the patient's or the
// study's own elements.
struct Inspection {
  std::string file;
  bool readable = false;  // the file could be opened and read
  bool decoded = false;   // its stored values are complete
  bool accepted = false;  // decoded, rendered, and a frontal chest radiograph
  std::string reason;     // why it was not accepted; empty if it was
  std::string transfer_syntax;  // empty: not known
  std::optional<int> rows;      // from the header
  std::optional<int> columns;
  std::string view;           // "AP" or "PA"; empty: not known
  std::string stored_sha256;  // StoredPixels' bytes, hexadecimal
  // For people: display settings in the file that are not used, and what is
  // done instead.
  std::vector<std::string> notes;
};

// Never fails: `reason` has the error.
Inspection InspectFile(const std::string& path,
                       const FilmWords& words = FilmWords::BuiltIn());

// Returns a JSON object on one line, without a line end; null for a value that
// is not known.
std::string InspectionJson(const Inspection& inspection);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_INSPECT_H_
