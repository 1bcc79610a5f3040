// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_BASE_UTF_H_
#define HILUM_COMMON_BASE_UTF_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hilum {

enum class Utf16Order { kNone, kLittle, kBig };

// Returns the byte order of a UTF-16 text: from its byte order mark or, without
// one, from a zero byte in one half of the first two characters. kNone: the
// text is not UTF-16.
Utf16Order Utf16OrderOf(absl::string_view bytes);

// Returns a UTF-16 text as UTF-8 and keeps a byte order mark. INVALID_ARGUMENT:
// an odd number of bytes, half of a surrogate pair.
absl::StatusOr<std::string> Utf8FromUtf16(absl::string_view bytes,
                                          Utf16Order order);

// Returns whether `bytes` is UTF-8 (RFC 3629).
bool IsUtf8(absl::string_view bytes);

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_UTF_H_
