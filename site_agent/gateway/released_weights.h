// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_RELEASED_WEIGHTS_H_
#define HILUM_SITE_AGENT_GATEWAY_RELEASED_WEIGHTS_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hilum {

// A file of weights in this release, with its digest when this program was
// built.
struct ReleasedFile {
  absl::string_view name;    // e.g. hilum_small.safetensors
  absl::string_view sha256;  // hexadecimal, of the file
};

absl::Span<const ReleasedFile> ReleasedFiles();

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_RELEASED_WEIGHTS_H_
