// SPDX-License-Identifier: Apache-2.0
// Views of the same bytes as unsigned numbers or as text; nothing is copied.
#ifndef HILUM_COMMON_CRYPTO_BYTE_VIEW_H_
#define HILUM_COMMON_CRYPTO_BYTE_VIEW_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hilum {

inline absl::Span<const uint8_t> AsBytes(absl::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

inline absl::string_view AsText(absl::Span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace hilum

#endif  // HILUM_COMMON_CRYPTO_BYTE_VIEW_H_
