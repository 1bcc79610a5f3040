// SPDX-License-Identifier: Apache-2.0
#include "common/aggregation/statistics_words.h"

#include "absl/strings/str_cat.h"

namespace hilum {

absl::Status LengthIs(absl::string_view what, size_t size, int64_t wanted) {
  if (static_cast<int64_t>(size) == wanted) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, " has ", size, " entries, the study's has ", wanted));
}

absl::Status Absurd(absl::string_view what) {
  return absl::AbortedError(
      absl::StrCat("the sites' sum has ", what,
                   "; a site's vector is damaged or not of this sum"));
}

}  // namespace hilum
