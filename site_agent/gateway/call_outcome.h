// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_CALL_OUTCOME_H_
#define HILUM_SITE_AGENT_GATEWAY_CALL_OUTCOME_H_

#include "absl/status/status.h"

namespace hilum {

// What a call to the coordinator or to the trainer came to, and so what the
// session does next. The one place where codes are read for that.
enum class CallOutcome {
  kDone,
  kTryAgain,   // the other side is away or has no room: wait, for ever
  kDiskFull,   // a disk is full: wait until somebody makes room, for ever
  kPerhaps,    // over some limit, nobody says which: wait a few times
  kRoundOver,  // the round goes on without this answer
  kRefused,    // not allowed, not known, or damaged: somebody must look
  kStopped,
  kCannot,  // the same each time: tell the reason, give nothing
};

CallOutcome OutcomeOf(const absl::Status& status);

// Whether the same call may come to something else later.
bool IsWorthWaiting(CallOutcome outcome);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_CALL_OUTCOME_H_
