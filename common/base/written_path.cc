// SPDX-License-Identifier: Apache-2.0
#include "common/base/written_path.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "common/base/file.h"

namespace hilum {

std::string ResolveWrittenPath(const std::string& folder,
                               const std::string& cell) {
  std::string path = ResolvePath(folder, cell);
  if (cell.find('\\') == std::string::npos || FileExists(path)) return path;
  std::string slashes = cell;
  std::replace(slashes.begin(), slashes.end(), '\\', '/');
  return ResolvePath(folder, slashes);
}

bool IsWindowsPath(absl::string_view cell) {
  if (absl::StartsWith(cell, "\\\\")) return true;
  return cell.size() > 2 && absl::ascii_isalpha(cell[0]) && cell[1] == ':' &&
         (cell[2] == '\\' || cell[2] == '/');
}

}  // namespace hilum
