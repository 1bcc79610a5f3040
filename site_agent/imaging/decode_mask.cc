// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/decode_mask.h"

#include "site_agent/imaging/decode.h"

namespace hilum {

absl::StatusOr<GrayImage> DecodeMask(absl::string_view bytes) {
  return DecodeImage(bytes);
}

}  // namespace hilum
