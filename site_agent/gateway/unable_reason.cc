// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/unable_reason.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

constexpr char kPayload[] = "hilum/unable_reason";

}  // namespace

absl::Status WithReason(absl::Status status, v1::UnableReason reason) {
  status.SetPayload(kPayload,
                    absl::Cord(absl::StrCat(static_cast<int>(reason))));
  return status;
}

v1::UnableReason ReasonOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kPayload);
  int reason = 0;
  if (!payload.has_value() ||
      !absl::SimpleAtoi(std::string(*payload), &reason) ||
      !v1::UnableReason_IsValid(reason)) {
    return v1::UNABLE_REASON_UNSPECIFIED;
  }
  return static_cast<v1::UnableReason>(reason);
}

v1::UnableReason ReasonOfTrainer(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kDataLoss:
      return v1::UNABLE_REASON_MANIFEST;
    default:
      return v1::UNABLE_REASON_MACHINE;
  }
}

}  // namespace hilum
