// SPDX-License-Identifier: Apache-2.0
// Paths as people write them into tables.
#ifndef HILUM_COMMON_BASE_WRITTEN_PATH_H_
#define HILUM_COMMON_BASE_WRITTEN_PATH_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hilum {

// Returns the path that a cell of a table means: an absolute one as it is,
// another one below `folder`. Where no such file exists, takes backslashes for
// slashes, as Windows writes paths, and finds letters with accents in either of
// Unicode's two forms (ComposeLatin). Asks the file system only about such
// cells.
std::string ResolveWrittenPath(const std::string& folder,
                               const std::string& cell);

// Returns whether a cell is a Windows path with a drive or a server, which
// cannot be opened on this machine.
bool IsWindowsPath(absl::string_view cell);

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_WRITTEN_PATH_H_
