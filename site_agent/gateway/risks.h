// SPDX-License-Identifier: Apache-2.0
// Risks: what a study can reveal of a site or its patients in spite of all
// other protection. The officer accepts each such risk by its name, or refuses
// the study. docs/consent.md says what an attacker gains from each risk.
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

// The names that `approve --accept` takes.
inline constexpr absl::string_view kBatchGradients = "batch_gradients";
inline constexpr absl::string_view kCountsInferable = "counts_inferable";
inline constexpr absl::string_view kVisibleUpdates = "visible_updates";
inline constexpr absl::string_view kSiteUpdatesInferable =
    "site_updates_inferable";
inline constexpr absl::string_view kPatientsInferable = "patients_inferable";
inline constexpr absl::string_view kUnpinnedKeys = "unpinned_keys";
inline constexpr absl::string_view kWeakPolicy = "weak_policy";
// Returns all names above, in alphabetical order.
std::vector<std::string> RiskNames();

struct Risk {
  std::string name;
  std::string sentence;  // one, with names and numbers
};

// A study that this site's officer approved before.
struct PastStudy {
  std::string hash;  // raw
  v1::Study study;
  std::set<std::string> accepted;  // names of risks, by its approval
};

// Returns the risks that follow from the study, this site's policy and its past
// studies, except kPatientsInferable (PatientsRisk). Several may have the same
// name.
std::vector<Risk> RisksOf(const v1::Study& study, const SiteId& site,
                          const v1::Policy& policy,
                          const std::vector<PastStudy>& past);

// Returns the fewest patients by which a site's cases in two studies can
// differ, judged by its two censuses, in the arm with the smallest difference
// above 0; 0 if no arm that both studies have differs. Counts cases where one
// census has no patients. Each census has the shape of its study
// (CheckCensusShape).
uint64_t FewestDifferingPatients(const v1::Study& a,
                                 const v1::SubmitCensusRequest& census_a,
                                 const v1::Study& b,
                                 const v1::SubmitCensusRequest& census_b);

// Returns kPatientsInferable if `past` starts from the weights of `study` and
// this site's cases in the two differ by 1 to 9 patients, or if the starting
// weights of both list images, and not the same.
std::optional<Risk> PatientsRisk(const v1::Study& study,
                                 const v1::SubmitCensusRequest& census,
                                 const PastStudy& past,
                                 const v1::SubmitCensusRequest& past_census);

// FAILED_PRECONDITION: lists each risk that is not accepted, with its sentence.
absl::Status CheckAccepted(const std::vector<Risk>& risks,
                           const std::set<std::string>& accepted);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_RISKS_H_
