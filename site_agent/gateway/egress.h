// SPDX-License-Identifier: Apache-2.0
// What may leave: decided from the annotations in proto/hilum/v1, so that a
// field nobody has judged cannot be sent.
#ifndef HILUM_SITE_AGENT_GATEWAY_EGRESS_H_
#define HILUM_SITE_AGENT_GATEWAY_EGRESS_H_

#include "absl/status/status.h"
#include "google/protobuf/message.h"

namespace hilum {

// Walks `message` by reflection. PERMISSION_DENIED names the field that is
// not annotated, is over its max_bytes, occurs too often (egress_limits.h),
// does not hold what its format says, or is unknown to this build, or the
// request that is too long as a whole.
absl::Status CheckEgress(const google::protobuf::Message& message);

// Every field reachable from `type` is annotated, with a purpose and a limit;
// of what may repeat the occurrences have a limit too. PERMISSION_DENIED names
// the first field of which this is not so.
absl::Status CheckAnnotations(const google::protobuf::Descriptor& type);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_EGRESS_H_
