// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_POLL_PACE_H_
#define HILUM_SITE_AGENT_GATEWAY_POLL_PACE_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "hilum/v1/federation.pb.h"

namespace hilum {

// How long to pause after an answer to NextTask, so that a coordinator that
// answers at once, with nothing or with the same over and over, makes this site
// neither spin nor fill its ledger and its disk.
// Within an hour each kind of answer comes a number of times without a pause:
// a task of one kind and round 64 times (a sum has five steps and is attempted
// eight times at most), an offer or a refused answer 8 times, an end of a study
// once for each; then pauses double from 200 ms to 15 s. An empty or cancelled
// answer within a second of the question has four without a pause; one that
// took longer sets its count back. Life: (Asking, After)*. Not thread-safe.
class PollPace {
 public:
  static constexpr int kFreeTasks = 64;
  static constexpr int kFreeOffers = 8;
  static constexpr int kFreeRefused = 8;
  static constexpr int kFreeEmpty = 4;

  // `clock` outlives this object.
  explicit PollPace(Clock& clock) : clock_(clock) {}

  // Call before the question is sent.
  void Asking() { asked_ = clock_.Now(); }
  // What to wait after the answer, or after the call failed with `status`:
  // DATA_LOSS where the answer was refused, CANCELLED.
  absl::Duration After(const absl::Status& status,
                       const v1::NextTaskResponse& answer);

 private:
  Clock& clock_;
  absl::Time asked_;
  absl::Time hour_began_ = absl::InfinitePast();
  std::map<std::string, int> counts_;  // in this hour
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_POLL_PACE_H_
