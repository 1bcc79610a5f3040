// SPDX-License-Identifier: Apache-2.0
// The reason why a study cannot be worked on here, in the form that the
// coordinator is told.
#ifndef HILUM_SITE_AGENT_GATEWAY_UNABLE_REASON_H_
#define HILUM_SITE_AGENT_GATEWAY_UNABLE_REASON_H_

#include "absl/status/status.h"
#include "hilum/v1/federation.pb.h"

namespace hilum {

// Returns `status` with the reason attached. The status text stays for the
// site's log; it may have rows of the site's manifest. OK stays OK.
absl::Status WithReason(absl::Status status, v1::UnableReason reason);

// Returns the attached reason; UNABLE_REASON_UNSPECIFIED: none is attached.
v1::UnableReason ReasonOf(const absl::Status& status);

// Returns the reason for the trainer's failure to load the cases: the manifest
// if it could be read but has a fault, else the machine.
v1::UnableReason ReasonOfTrainer(const absl::Status& status);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_UNABLE_REASON_H_
