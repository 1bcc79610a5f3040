// SPDX-License-Identifier: Apache-2.0
// How often a field may occur, and how long a whole message may be: what the
// annotation of a single occurrence does not say.
#ifndef HILUM_SITE_AGENT_GATEWAY_EGRESS_LIMITS_H_
#define HILUM_SITE_AGENT_GATEWAY_EGRESS_LIMITS_H_

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"

namespace hilum {

// Most hashes of each list in a NextTaskRequest.
inline constexpr int kMaxStudiesTold = 1024;

// Most occurrences of a repeated field of text, bytes or messages; none: the
// field has no limit, and may not be sent. Packed numbers need none: their
// max_bytes is of all of them.
std::optional<int> MaxOccurrences(
    const google::protobuf::FieldDescriptor& field);

// Most bytes of a request of hilum.v1.Federation; of another message none.
std::optional<uint64_t> MaxMessageBytes(
    const google::protobuf::Descriptor& type);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_EGRESS_LIMITS_H_
