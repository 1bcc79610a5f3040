// SPDX-License-Identifier: Apache-2.0
// Paths as people write them into tables.
#ifndef HILUM_COMMON_BASE_WRITTEN_PATH_H_
#define HILUM_COMMON_BASE_WRITTEN_PATH_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hilum {

// Returns the path that a cell of a table leads to: itself, or below `folder`.
// Where the cell has backslashes, as Windows writes paths, and no file has that
// name, they are slashes. Asks the file system in that case alone.
std::string ResolveWrittenPath(const std::string& folder,
                               const std::string& cell);

// Whether a cell is a path of Windows with a drive or a server in it, which
// leads nowhere here.
bool IsWindowsPath(absl::string_view cell);

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_WRITTEN_PATH_H_
