// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_CALL_OUTCOME_H_
#define HILUM_SITE_AGENT_GATEWAY_CALL_OUTCOME_H_

#include "absl/status/status.h"

namespace hilum {

// The result of a call to the coordinator or to the trainer, by which the
// session chooses what to do next. Only OutcomeOf reads status codes for that.
enum class CallOutcome {
  kDone,
  kTryAgain,   // the other side is away or has no room: wait, without limit
  kDiskFull,   // a disk is full: wait until somebody makes room, without limit
  kPerhaps,    // over some limit that is not named: wait a few times
  kRoundOver,  // the round goes on without this answer
  kRefused,    // not allowed, not known, or damaged: a person must look
  kStopped,
  kCannot,  // fails each time: tell the reason, give nothing
};

CallOutcome OutcomeOf(const absl::Status& status);

// Whether the same call may have another outcome later.
bool IsWorthWaiting(CallOutcome outcome);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_CALL_OUTCOME_H_
