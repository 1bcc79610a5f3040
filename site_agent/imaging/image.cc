// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/image.h"

#include "absl/strings/str_cat.h"

namespace hilum {

absl::Status CheckImageSize(uint64_t rows, uint64_t columns) {
  if (rows == 0 || columns == 0) {
    return absl::InvalidArgumentError("image has no pixels");
  }
  if (columns > kMaxImagePixels / rows) {
    return absl::ResourceExhaustedError(
        absl::StrCat("image of ", columns, " x ", rows, " pixels is over ",
                     kMaxImagePixels, " pixels"));
  }
  return absl::OkStatus();
}

}  // namespace hilum
