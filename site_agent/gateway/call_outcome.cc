// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/call_outcome.h"

#include "common/base/cause.h"

namespace hilum {
namespace {

CallOutcome OutcomeOfExhausted(const absl::Status& status) {
  switch (CauseOf(status)) {
    case Cause::kDiskFull:
      return CallOutcome::kDiskFull;
    case Cause::kTooLarge:
    case Cause::kOutOfMemory:
      return CallOutcome::kCannot;
    case Cause::kUnknown:
      break;
  }
  return CallOutcome::kPerhaps;
}

}  // namespace

CallOutcome OutcomeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return CallOutcome::kDone;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return CallOutcome::kTryAgain;
    case absl::StatusCode::kResourceExhausted:
      return OutcomeOfExhausted(status);
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
      return CallOutcome::kRoundOver;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kDataLoss:
      return CallOutcome::kRefused;
    case absl::StatusCode::kCancelled:
      return CallOutcome::kStopped;
    default:
      return CallOutcome::kCannot;
  }
}

bool IsWorthWaiting(CallOutcome outcome) {
  return outcome == CallOutcome::kTryAgain ||
         outcome == CallOutcome::kDiskFull || outcome == CallOutcome::kPerhaps;
}

bool IsRoundOver(const absl::Status& status) {
  return OutcomeOf(status) == CallOutcome::kRoundOver;
}

bool StepPatience::MayRepeat(const absl::Status& status) const {
  const CallOutcome outcome = OutcomeOf(status);
  if (outcome == CallOutcome::kPerhaps) return perhaps_ < kMostPerhaps;
  return IsWorthWaiting(outcome);
}

bool StepPatience::WaitsForRoom(const absl::Status& status) const {
  return OutcomeOf(status) != CallOutcome::kTryAgain && MayRepeat(status);
}

bool StepPatience::MayPass(const absl::Status& status) const {
  return MayRepeat(status) || OutcomeOf(status) == CallOutcome::kStopped;
}

void StepPatience::OnFailed(const absl::Status& status) {
  if (OutcomeOf(status) == CallOutcome::kPerhaps) ++perhaps_;
}

}  // namespace hilum
