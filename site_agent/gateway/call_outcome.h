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

// Whether the round goes on without this answer; the next task says how.
bool IsRoundOver(const absl::Status& status);

// Whether a step that failed is repeated after a pause. A step over a limit
// that may change is repeated a few times (kPerhaps); OnDone begins to count
// anew. Not thread-safe.
class StepPatience {
 public:
  static constexpr int kMostPerhaps = 8;

  // Whether the step may have another outcome later.
  bool MayRepeat(const absl::Status& status) const;
  // The same, where the reason is room: on a disk, or under some limit.
  bool WaitsForRoom(const absl::Status& status) const;
  // Whether a failure of this site's own may not occur again: like MayRepeat,
  // or the site was stopped meanwhile.
  bool MayPass(const absl::Status& status) const;

  void OnFailed(const absl::Status& status);
  void OnDone() { perhaps_ = 0; }

 private:
  int perhaps_ = 0;  // failures with kPerhaps since the last OnDone
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_CALL_OUTCOME_H_
