// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_INSPECT_H_
#define HILUM_SITE_AGENT_INGEST_INSPECT_H_

#include <optional>
#include <string>
#include <vector>

#include "site_agent/imaging/dicom/film_words.h"

namespace hilum {

// What ingest makes of a DICOM file. Nothing in it is from the patient's or
// the study's own elements.
struct Inspection {
  std::string file;
  bool readable = false;  // the file could be opened and read
  bool decoded = false;   // its stored values are whole
  bool accepted = false;  // decoded, rendered, and a frontal chest radiograph
  std::string reason;     // why not accepted; empty if it is
  std::string transfer_syntax;  // empty: not known
  std::optional<int> rows;      // as the header has them
  std::optional<int> columns;
  std::string view;           // "AP" or "PA"; empty: not known
  std::string stored_sha256;  // StoredPixels' bytes, hexadecimal
  // For people: what of the file is not used for its display, and what is done
  // instead.
  std::vector<std::string> notes;
};

// Never fails: what is wrong is the reason.
Inspection InspectFile(const std::string& path,
                       const FilmWords& words = FilmWords::BuiltIn());

// A JSON object on one line, without the line's end; null where a value is not
// known.
std::string InspectionJson(const Inspection& inspection);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_INSPECT_H_
