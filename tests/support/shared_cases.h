// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_SUPPORT_SHARED_CASES_H_
#define HILUM_TESTS_SUPPORT_SHARED_CASES_H_

#include <filesystem>
#include <string>

namespace hilum {

// Returns the folder of that name among the shared cases, beside the source
// tree or beside the parent folder of a work tree; empty: it does not exist.
inline std::string SharedCases(const std::string& name) {
  for (const char* up : {"/../shared/cases/", "/../../shared/cases/"}) {
    std::string folder = HILUM_SOURCE_DIR + (up + name);
    if (std::filesystem::exists(folder)) return folder;
  }
  return "";
}

}  // namespace hilum

#endif  // HILUM_TESTS_SUPPORT_SHARED_CASES_H_
