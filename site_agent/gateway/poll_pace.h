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

// Decides how long to pause after an answer to NextTask. A coordinator that
// answers at once, with nothing or with the same answer again and again, must
// not make this site spin or fill its ledger and disk.
// Within an hour each kind of answer has a number of answers without a pause: a
// task of one kind and round 64 (a sum has five steps and is attempted eight
// times at most), an offer or a refused answer 8, the end of a study 1 for each
// study; after these, pauses double from 200 ms to 15 s. An empty or cancelled
// answer within a second of the question has 4; one that took longer resets
// this count. Life: (Asking, After)*. Not thread-safe.
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
  // Returns the pause after the answer, or after the call failed with `status`:
  // DATA_LOSS where the answer was refused, or CANCELLED.
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
