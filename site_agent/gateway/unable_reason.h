// SPDX-License-Identifier: Apache-2.0
// Why a study cannot be worked on here, as far as the coordinator is told.
#ifndef HILUM_SITE_AGENT_GATEWAY_UNABLE_REASON_H_
#define HILUM_SITE_AGENT_GATEWAY_UNABLE_REASON_H_

#include "absl/status/status.h"
#include "hilum/v1/federation.pb.h"

namespace hilum {

// Returns `status` with the reason noted in it. Its text, which may have rows
// of the site's manifest, stays for the site's log. OK stays OK.
absl::Status WithReason(absl::Status status, v1::UnableReason reason);

// Returns the reason that was noted; UNABLE_REASON_UNSPECIFIED: none was.
v1::UnableReason ReasonOf(const absl::Status& status);

// Returns what the trainer's failure to load the cases comes from: the manifest
// where it could be read and did not fit, else the machine.
v1::UnableReason ReasonOfTrainer(const absl::Status& status);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_UNABLE_REASON_H_
