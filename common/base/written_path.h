// SPDX-License-Identifier: Apache-2.0
// Paths as people write them into tables.
#ifndef HILUM_COMMON_BASE_WRITTEN_PATH_H_
#define HILUM_COMMON_BASE_WRITTEN_PATH_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hilum {

// Returns the path that a cell of a table leads to: itself, or below `folder`.
// Where no file has that name, backslashes are slashes, as Windows writes paths,
// and letters with accents are found in either of the two forms that Unicode has
// for them (ComposeLatin). Asks the file system only about such cells.
std::string ResolveWrittenPath(const std::string& folder,
                               const std::string& cell);

// Whether a cell is a path of Windows with a drive or a server in it, which
// leads nowhere here.
bool IsWindowsPath(absl::string_view cell);

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_WRITTEN_PATH_H_
