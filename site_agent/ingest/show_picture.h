// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_SHOW_PICTURE_H_
#define HILUM_SITE_AGENT_INGEST_SHOW_PICTURE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hilum {

// Both functions write a gray PNG, readable by its owner alone, for a person
// who decides about a film in quarantine. INVALID_ARGUMENT: `to` does not end
// in .png. Otherwise errors as CaseStoreReader, ReadFile, DecodeImage and
// WriteFileAtomically.

// Writes a case's radiograph as stored.
absl::Status WriteCasePicture(const std::string& store,
                              absl::string_view case_id, const std::string& to);
// Writes the image that a refused file displays.
absl::Status WriteFilePicture(const std::string& file, const std::string& to);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_SHOW_PICTURE_H_
