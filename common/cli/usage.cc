// SPDX-License-Identifier: Apache-2.0
#include "common/cli/usage.h"

#include "absl/strings/cord.h"

namespace hilum {
namespace {

constexpr char kPayload[] = "hilum/usage";

}  // namespace

absl::Status UsageError(absl::string_view message) {
  absl::Status status = absl::InvalidArgumentError(message);
  status.SetPayload(kPayload, absl::Cord());
  return status;
}

absl::Status AsUsage(const absl::Status& status) {
  return status.ok() ? status : UsageError(status.message());
}

bool IsUsageError(const absl::Status& status) {
  return status.GetPayload(kPayload).has_value();
}

}  // namespace hilum
