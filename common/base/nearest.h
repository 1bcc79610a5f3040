// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_BASE_NEAREST_H_
#define HILUM_COMMON_BASE_NEAREST_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace hilum {

// Returns the number of letters to insert, delete or replace that make `a` into
// `b` (Levenshtein distance). Takes time a.size() * b.size(): for names.
size_t EditDistance(absl::string_view a, absl::string_view b);

// Returns the name in `known` that somebody who typed `name` may have meant:
// the nearest one, at most 2 edits away or a third of the letters. Empty: no
// name is so near.
std::string NearestName(absl::string_view name,
                        const std::vector<std::string>& known);

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_NEAREST_H_
