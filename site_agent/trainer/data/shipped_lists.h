// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_DATA_SHIPPED_LISTS_H_
#define HILUM_SITE_AGENT_TRAINER_DATA_SHIPPED_LISTS_H_

#include "absl/strings/string_view.h"

namespace hilum {

// Return the images that this release's own networks learned from, as
// TrainedOn.digests has them: of lungs_unet.safetensors, which draws lung
// masks, and of orientation.safetensors. They are compiled in from the files'
// metadata, so that the confined trainer has no file to find.
absl::string_view LungsNetworkImages();
absl::string_view OrientationNetworkImages();

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_DATA_SHIPPED_LISTS_H_
