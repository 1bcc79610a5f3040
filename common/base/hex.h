// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_BASE_HEX_H_
#define HILUM_COMMON_BASE_HEX_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace hilum {

// Returns whether `text` has hexadecimal digits only, of either case. True for
// an empty text.
bool IsHex(absl::string_view text);

// Returns the bytes that `hex` stands for; nothing where it is not an even
// number of hexadecimal digits. ToHex (common/crypto) is the inverse.
std::optional<std::string> FromHex(absl::string_view hex);

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_HEX_H_
