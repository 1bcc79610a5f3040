// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_MODEL_ZIP_DIRECTORY_H_
#define HILUM_COMMON_MODEL_ZIP_DIRECTORY_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hilum {

struct ZipEntry {
  absl::string_view content;  // in place, as packed
  bool stored;                // neither compressed nor encrypted
};

using ZipEntries = std::map<std::string, ZipEntry>;

// Returns the files of a zip archive by name; `bytes` must outlive the result.
// Ignores checksums. Source: PKWARE's APPNOTE 6.3, sections 4.3 (records) and
// 4.5.3 (sizes of 64 bits). INVALID_ARGUMENT: no archive, or one in several
// parts; a name given twice; a size or place outside the archive; files that
// overlap; a file whose own header has another name.
absl::StatusOr<ZipEntries> ReadZipDirectory(absl::string_view bytes);

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_ZIP_DIRECTORY_H_
