// SPDX-License-Identifier: Apache-2.0
// Whether the officer has accepted all that a study does.
#ifndef HILUM_SITE_AGENT_GATEWAY_CONSENT_H_
#define HILUM_SITE_AGENT_GATEWAY_CONSENT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/base/ids.h"
#include "hilum/v1/federation.pb.h"
#include "hilum/v1/policy.pb.h"
#include "hilum/v1/study.pb.h"
#include "site_agent/gateway/approvals.h"
#include "site_agent/gateway/risks.h"

namespace hilum {

// The site that was asked to take part in a study.
struct AskedSite {
  SiteId site;
  std::string certificate_pem;
  v1::Policy policy;
};

// Returns the studies that were ever approved here, except the one with `hash`,
// in order of their hashes. Leaves out studies that cannot be read any more.
std::vector<PastStudy> PastStudies(const Approvals& approvals,
                                   absl::string_view hash);

// Returns a line for each reason why the site cannot take part, even if its
// officer approves: its policy, trusted peers, its own key.
std::vector<std::string> ConflictsOf(const AskedSite& asked,
                                     const v1::Study& study);

// Checks, before any work on an approved study, that the study pins this site's
// own key, that its sites include enough trusted peers, and that the officer
// has accepted its risks and starting weights. A risk that two studies cause
// together is accepted for both once the approval of the later study accepts
// it. PERMISSION_DENIED, FAILED_PRECONDITION: says what is missing and what to
// type.
absl::Status CheckConsent(const AskedSite& asked, const Approvals& approvals,
                          const std::string& hash, const v1::Study& study);

using ArmCensuses = google::protobuf::RepeatedPtrField<v1::ArmCensus>;

// Checks, once the cases are loaded and before their census leaves, that they
// differ from the cases of each approved study by enough patients or not at
// all, or that the officer has accepted the difference. FAILED_PRECONDITION:
// says what is missing and what to type.
absl::Status CheckPatientsConsent(const Approvals& approvals,
                                  const std::string& hash,
                                  const v1::Study& study,
                                  const ArmCensuses& arms);

// Returns an acceptance of all risks and of the study's starting weights: for
// simulations, which have no real patients.
Acceptance AcceptEverything(const v1::Study& study);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_CONSENT_H_
