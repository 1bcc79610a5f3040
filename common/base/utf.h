// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_BASE_UTF_H_
#define HILUM_COMMON_BASE_UTF_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hilum {

enum class Utf16Order { kNone, kLittle, kBig };

// Returns the order of bytes of a text of UTF-16: by its byte order mark, or,
// without one, by a zero byte in one half of the first two characters. kNone:
// it is no such text.
Utf16Order Utf16OrderOf(absl::string_view bytes);

// Returns a text as UTF-8; a byte order mark stays one. INVALID_ARGUMENT: an
// odd number of bytes, half of a surrogate pair.
absl::StatusOr<std::string> Utf8FromUtf16(absl::string_view bytes,
                                          Utf16Order order);

// Whether `bytes` is UTF-8 (RFC 3629).
bool IsUtf8(absl::string_view bytes);

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_UTF_H_
