// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_BASE_PRINTABLE_H_
#define HILUM_COMMON_BASE_PRINTABLE_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace hilum {

// Returns a peer's text in a form that is safe in a log line, on a terminal and
// in a JSON file: ASCII from space to '~' stays; every other byte and the
// backslash become \xNN (two hexadecimal digits). Cuts the result to at most
// `max_bytes` bytes; a cut text ends in "...". `max_bytes` >= 3. A second call
// changes the result only where it has a backslash.
std::string Printable(absl::string_view text, size_t max_bytes);

// Returns a whole log line in a safe form. Its parts may be printable already,
// so a backslash stays. A second call changes nothing.
std::string PrintableLine(absl::string_view line, size_t max_bytes);

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_PRINTABLE_H_
