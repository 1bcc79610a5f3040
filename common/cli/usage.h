// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_CLI_USAGE_H_
#define HILUM_COMMON_CLI_USAGE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hilum {

// Returns an INVALID_ARGUMENT for a typed value that is wrong in any state of
// files and machines; the program ends with 2, not with 1. For values that a
// command itself checks, after the parser.
absl::Status UsageError(absl::string_view message);

// Returns `status` as a UsageError with the same message; OK stays OK. For
// checks of typed values that other code also uses.
absl::Status AsUsage(const absl::Status& status);

bool IsUsageError(const absl::Status& status);

}  // namespace hilum

#endif  // HILUM_COMMON_CLI_USAGE_H_
