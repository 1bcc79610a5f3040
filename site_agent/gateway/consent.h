// SPDX-License-Identifier: Apache-2.0
// Whether what an officer has said covers what a study does.
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

// The site that is asked.
struct AskedSite {
  SiteId site;
  std::string certificate_pem;
  v1::Policy policy;
};

// Returns the studies that were ever approved here, but the one of `hash`, in
// order of their hashes. One that cannot be read any more is left out.
std::vector<PastStudy> PastStudies(const Approvals& approvals,
                                   absl::string_view hash);

// Returns a line for each reason why the site could not take part, whatever
// its officer says: its policy, trusted peers, its own key.
std::vector<std::string> ConflictsOf(const AskedSite& asked,
                                     const v1::Study& study);

// Checks, before anything of an approved study is done, that the study pins
// this site's own key, that trusted peers are in it, and that the officer has
// accepted its risks and starting weights. A study approved later whose
// approval took a risk of both takes it for this one too. PERMISSION_DENIED,
// FAILED_PRECONDITION: says what is missing and what to type.
absl::Status CheckConsent(const AskedSite& asked, const Approvals& approvals,
                          const std::string& hash, const v1::Study& study);

using ArmCensuses = google::protobuf::RepeatedPtrField<v1::ArmCensus>;

// Checks once the cases are loaded, and before a census of them leaves, that
// they are not those of an approved study but for a few patients, or that the
// officer has accepted it. FAILED_PRECONDITION likewise.
absl::Status CheckPatientsConsent(const Approvals& approvals,
                                  const std::string& hash,
                                  const v1::Study& study,
                                  const ArmCensuses& arms);

// A yes to all risks and to the study's starting weights: for simulations, in
// which nobody's patients are.
Acceptance AcceptEverything(const v1::Study& study);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_CONSENT_H_
