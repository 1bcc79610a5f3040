// SPDX-License-Identifier: Apache-2.0
// What can be learned of a site or its patients from a study in spite of all
// other protection, so that an officer takes it knowingly or not at all.
// docs/consent.md says what each risk is worth to an attacker.
#ifndef HILUM_SITE_AGENT_GATEWAY_RISKS_H_
#define HILUM_SITE_AGENT_GATEWAY_RISKS_H_

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/base/ids.h"
#include "hilum/v1/federation.pb.h"
#include "hilum/v1/policy.pb.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// Names, as `approve --accept` takes them.
inline constexpr absl::string_view kCountsInferable = "counts_inferable";
inline constexpr absl::string_view kVisibleUpdates = "visible_updates";
inline constexpr absl::string_view kSiteUpdatesInferable =
    "site_updates_inferable";
inline constexpr absl::string_view kPatientsInferable = "patients_inferable";
inline constexpr absl::string_view kUnpinnedKeys = "unpinned_keys";
inline constexpr absl::string_view kWeakPolicy = "weak_policy";
// All of the above, in alphabetical order.
std::vector<std::string> RiskNames();

struct Risk {
  std::string name;
  std::string sentence;  // one, with names and numbers
};

// A study that this site's officer approved before.
struct PastStudy {
  std::string hash;  // raw
  v1::Study study;
  std::set<std::string> accepted;  // names of risks, with its approval
};

// Returns the risks that follow from the study, this site's policy and its past
// studies; kPatientsInferable is not among them (PatientsRisk). Several of one
// name are possible.
std::vector<Risk> RisksOf(const v1::Study& study, const SiteId& site,
                          const v1::Policy& policy,
                          const std::vector<PastStudy>& past);

// Returns the fewest patients by which a site's cases of two studies can
// differ, by its two censuses, in the arm where they differ least but differ;
// 0 where no arm of both studies differs. Counts cases where one census has no
// patients. Censuses are of their study's shape (CheckCensusShape).
uint64_t FewestDifferingPatients(const v1::Study& a,
                                 const v1::SubmitCensusRequest& census_a,
                                 const v1::Study& b,
                                 const v1::SubmitCensusRequest& census_b);

// Returns kPatientsInferable where `past` starts from the weights of `study`
// and this site's cases of the two differ by 1 to 9 patients.
std::optional<Risk> PatientsRisk(const v1::Study& study,
                                 const v1::SubmitCensusRequest& census,
                                 const PastStudy& past,
                                 const v1::SubmitCensusRequest& past_census);

// FAILED_PRECONDITION lists each risk that is not accepted, with its sentence.
absl::Status CheckAccepted(const std::vector<Risk>& risks,
                           const std::set<std::string>& accepted);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_RISKS_H_
