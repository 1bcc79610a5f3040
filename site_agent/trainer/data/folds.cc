// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/folds.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

// Patients by their keyed hash; each `purpose` has an order of its own.
using Stratum = std::vector<std::pair<std::string, std::string>>;

// Returns [classes] strata. A patient belongs to the class of most of its
// cases.
std::vector<Stratum> Strata(absl::Span<const CaseRow> cases, int num_classes,
                            absl::string_view patient_key,
                            absl::string_view purpose) {
  std::map<std::string, std::vector<int>> counts;  // patient -> [classes]
  for (const CaseRow& row : cases) {
    auto& count = counts[row.patient_id];
    count.resize(num_classes);
    ++count[row.label];
  }
  std::vector<Stratum> strata(num_classes);
  for (const auto& [patient, count] : counts) {
    // max_element gives the first of equals: ties go by class order.
    auto most = std::max_element(count.begin(), count.end());
    strata[most - count.begin()].push_back(
        {HmacSha256(patient_key, absl::StrCat(purpose, patient)), patient});
  }
  for (Stratum& stratum : strata) std::sort(stratum.begin(), stratum.end());
  return strata;
}

}  // namespace

std::vector<int> DealFolds(absl::Span<const CaseRow> cases, int num_classes,
                           int folds, absl::string_view patient_key) {
  std::map<std::string, int> fold_of;
  int next = 0;
  for (const Stratum& stratum : Strata(cases, num_classes, patient_key, "")) {
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

std::vector<double> ValidationRanks(absl::Span<const CaseRow> cases,
                                    int num_classes,
                                    absl::string_view patient_key) {
  std::map<std::string, double> rank_of;
  for (const Stratum& stratum :
       Strata(cases, num_classes, patient_key, "validation\n")) {
    for (size_t i = 0; i < stratum.size(); ++i) {
      rank_of[stratum[i].second] =
          (static_cast<double>(i) + 0.5) / static_cast<double>(stratum.size());
    }
  }
  std::vector<double> result;
  result.reserve(cases.size());
  for (const CaseRow& row : cases) result.push_back(rank_of[row.patient_id]);
  return result;
}

}  // namespace hilum
