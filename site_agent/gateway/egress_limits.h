// SPDX-License-Identifier: Apache-2.0
// How often a field may occur, and how long a whole message may be. An
// annotation limits only a single occurrence.
#ifndef HILUM_SITE_AGENT_GATEWAY_EGRESS_LIMITS_H_
#define HILUM_SITE_AGENT_GATEWAY_EGRESS_LIMITS_H_

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"

namespace hilum {

// The most hashes in each list of a NextTaskRequest.
inline constexpr int kMaxStudiesTold = 1024;

// Returns the most occurrences of a repeated field of text, bytes or messages;
// none: the field has no limit, and may not be sent. Packed numbers need no
// limit here: their max_bytes limits all of them together.
std::optional<int> MaxOccurrences(
    const google::protobuf::FieldDescriptor& field);

// Returns the most bytes of a request of hilum.v1.Federation; none for other
// messages.
std::optional<uint64_t> MaxMessageBytes(
    const google::protobuf::Descriptor& type);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_EGRESS_LIMITS_H_
