// SPDX-License-Identifier: Apache-2.0
// Decides what may leave by the annotations in proto/hilum/v1, so that a field
// without an annotation cannot be sent.
#ifndef HILUM_SITE_AGENT_GATEWAY_EGRESS_H_
#define HILUM_SITE_AGENT_GATEWAY_EGRESS_H_

#include "absl/status/status.h"
#include "google/protobuf/message.h"

namespace hilum {

// Checks `message` by reflection. PERMISSION_DENIED: a field is not annotated,
// is over its max_bytes, occurs too often (egress_limits.h), does not match its
// format or is unknown to this build, or the whole request is too long; names
// the field or the request.
absl::Status CheckEgress(const google::protobuf::Message& message);

// Checks that every field reachable from `type` is annotated with a purpose and
// a limit, and that every repeated field has a limit of its occurrences.
// PERMISSION_DENIED: names the first field that lacks one.
absl::Status CheckAnnotations(const google::protobuf::Descriptor& type);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_EGRESS_H_
