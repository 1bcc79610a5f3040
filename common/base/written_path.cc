// SPDX-License-Identifier: Apache-2.0
#include "common/base/written_path.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "common/base/file.h"
#include "common/base/patient_id.h"

namespace hilum {

namespace {

namespace fs = std::filesystem;

bool IsAscii(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isascii(static_cast<unsigned char>(c));
  });
}

// Returns the file beside `path` whose name differs from its own only in the
// form of accents; `path` where there is none.
std::string WithAccentsAsThere(const std::string& path) {
  const fs::path wanted(path);
  const std::string name = ComposeLatin(wanted.filename().string());
  std::error_code error;
  for (fs::directory_iterator at(wanted.parent_path(), error), end;
       !error && at != end; at.increment(error)) {
    if (ComposeLatin(at->path().filename().string()) == name) {
      return at->path().string();
    }
  }
  return path;
}

}  // namespace

std::string ResolveWrittenPath(const std::string& folder,
                               const std::string& cell) {
  std::string path = ResolvePath(folder, cell);
  const bool backslashes = cell.find('\\') != std::string::npos;
  const bool ascii = IsAscii(cell);
  if ((!backslashes && ascii) || FileExists(path)) return path;
  if (backslashes) {
    std::string slashes = cell;
    std::replace(slashes.begin(), slashes.end(), '\\', '/');
    path = ResolvePath(folder, slashes);
  }
  return ascii || FileExists(path) ? path : WithAccentsAsThere(path);
}

bool IsWindowsPath(absl::string_view cell) {
  if (absl::StartsWith(cell, "\\\\")) return true;
  return cell.size() > 2 && absl::ascii_isalpha(cell[0]) && cell[1] == ':' &&
         (cell[2] == '\\' || cell[2] == '/');
}

}  // namespace hilum
