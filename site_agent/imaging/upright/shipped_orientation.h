// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_IMAGING_UPRIGHT_SHIPPED_ORIENTATION_H_
#define HILUM_SITE_AGENT_IMAGING_UPRIGHT_SHIPPED_ORIENTATION_H_

#include "absl/strings/string_view.h"

namespace hilum {

// Returns orientation.safetensors as it was when this program was built.
absl::string_view ShippedOrientationFile();

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_UPRIGHT_SHIPPED_ORIENTATION_H_
