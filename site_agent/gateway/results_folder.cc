// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/results_folder.h"

#include "absl/strings/str_cat.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

constexpr size_t kHashDigits = 12;

}  // namespace

std::string ResultsFolder(absl::string_view state_dir, const v1::Study& study,
                          absl::string_view study_hash) {
  return absl::StrCat(state_dir, "/results/", study.name(), "-",
                      ToHex(study_hash).substr(0, kHashDigits));
}

std::string PredictionsPath(absl::string_view results_folder,
                            const SiteId& site) {
  return absl::StrCat(results_folder, "/predictions-site-", site.name(),
                      ".csv");
}

}  // namespace hilum
