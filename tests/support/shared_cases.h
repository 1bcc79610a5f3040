// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_SUPPORT_SHARED_CASES_H_
#define HILUM_TESTS_SUPPORT_SHARED_CASES_H_

#include <filesystem>
#include <string>

namespace hilum {

// Returns the folder of that name among the shared cases, beside the tree or
// beside the folder that a work tree lies in; empty: it is not here.
inline std::string SharedCases(const std::string& name) {
  for (const char* up : {"/../shared/cases/", "/../../shared/cases/"}) {
    std::string folder = HILUM_SOURCE_DIR + (up + name);
    if (std::filesystem::exists(folder)) return folder;
  }
  return "";
}

}  // namespace hilum

#endif  // HILUM_TESTS_SUPPORT_SHARED_CASES_H_
