// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/seen_cases.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <vector>

#include "common/config/census.h"
#include "common/config/starting_weights.h"
#include "site_agent/trainer/data/shipped_lists.h"

namespace hilum {

uint64_t SeenCases::Marked() const {
  return static_cast<uint64_t>(std::count(marks.begin(), marks.end(), true));
}

namespace {

// Returns the patients with a case in one of the lists.
std::set<absl::string_view> PatientsIn(
    absl::Span<const CaseRow> cases, absl::Span<const std::string> digests,
    absl::Span<const absl::string_view> lists) {
  std::set<absl::string_view> patients;
  for (size_t i = 0; i < cases.size(); ++i) {
    for (absl::string_view list : lists) {
      if (digests[i].empty() || !ListsDigest(list, digests[i])) continue;
      patients.insert(cases[i].patient_id);
    }
  }
  return patients;
}

}  // namespace

SeenCases FindSeen(absl::Span<const CaseRow> cases,
                   absl::Span<const std::string> digests,
                   absl::Span<const absl::string_view> lists) {
  const std::set<absl::string_view> patients =
      PatientsIn(cases, digests, lists);
  SeenCases seen{.marks = {}, .patients = patients.size()};
  for (const CaseRow& row : cases) {
    const bool found = patients.count(row.patient_id) > 0;
    seen.cases += found;
    seen.marks.push_back(found && patients.size() >= kSeenPatients);
  }
  return seen;
}

std::vector<absl::string_view> SeenLists(const v1::Study& study) {
  std::vector<absl::string_view> lists;
  for (const v1::TrainedOn& set : study.starting_weights().trained_on()) {
    if (!set.digests().empty()) lists.emplace_back(set.digests());
  }
  return lists;
}

SeenByTools FindSeenByTools(absl::Span<const CaseRow> cases,
                            absl::Span<const std::string> digests,
                            absl::Span<const absl::string_view> lists) {
  const std::set<absl::string_view> ours = PatientsIn(cases, digests, lists);
  const auto seen_by = [&](absl::string_view list) -> uint64_t {
    const std::set<absl::string_view> theirs =
        PatientsIn(cases, digests, {list});
    std::vector<absl::string_view> differ;
    std::set_symmetric_difference(ours.begin(), ours.end(), theirs.begin(),
                                  theirs.end(), std::back_inserter(differ));
    if (!differ.empty() && differ.size() < kSeenPatients) return 0;
    return FindSeen(cases, digests, {list}).Marked();
  };
  return {.lungs_network = seen_by(LungsNetworkImages()),
          .orientation_network = seen_by(OrientationNetworkImages()),
          .not_compared = static_cast<uint64_t>(
              std::count(digests.begin(), digests.end(), std::string()))};
}

}  // namespace hilum
