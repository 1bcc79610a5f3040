// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_BASE_PRINTABLE_H_
#define HILUM_COMMON_BASE_PRINTABLE_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace hilum {

// Returns text of a peer in a form that is safe in a log line, on a terminal
// and in a JSON file: ASCII from space to '~' stays, every other byte and the
// backslash become \xNN (two hexadecimal digits). Cuts the result so that it
// has at most `max_bytes` bytes; a cut text ends in "...". `max_bytes` >= 3.
// A text that was made printable already stays as it is only where it has no
// backslash.
std::string Printable(absl::string_view text, size_t max_bytes);

// The same for a whole line of a log, whose parts may be printable already: a
// backslash stays as it is. A line that this function has returned it returns
// unchanged.
std::string PrintableLine(absl::string_view line, size_t max_bytes);

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_PRINTABLE_H_
