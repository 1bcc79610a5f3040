// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/folds.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "common/crypto/sha256.h"

namespace hilum {

std::vector<int> DealFolds(absl::Span<const CaseRow> cases, int num_classes,
                           int folds, absl::string_view patient_key) {
  std::map<std::string, std::vector<int>> counts;  // patient -> [classes]
  for (const CaseRow& row : cases) {
    auto& count = counts[row.patient_id];
    count.resize(num_classes);
    ++count[row.label];
  }
  // Per stratum, (keyed hash, patient), sorted.
  std::vector<std::vector<std::pair<std::string, std::string>>> strata(
      num_classes);
  for (const auto& [patient, count] : counts) {
    // max_element gives the first of equals: ties go by class order.
    auto most = std::max_element(count.begin(), count.end());
    strata[most - count.begin()].push_back(
        {HmacSha256(patient_key, patient), patient});
  }
  std::map<std::string, int> fold_of;
  int next = 0;
  for (auto& stratum : strata) {
    std::sort(stratum.begin(), stratum.end());
    for (const auto& [hash, patient] : stratum) {
      fold_of[patient] = next;
      next = (next + 1) % folds;
    }
  }
  std::vector<int> result;
  result.reserve(cases.size());
  for (const CaseRow& row : cases) result.push_back(fold_of[row.patient_id]);
  return result;
}

}  // namespace hilum
