// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/poll_pace.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(200);
constexpr absl::Duration kLongestPause = absl::Seconds(15);
constexpr absl::Duration kAtOnce = absl::Seconds(1);

struct Kind {
  std::string key;
  int free;
};

Kind KindOf(const v1::NextTaskResponse& answer) {
  if (answer.has_offer()) return {"offer", PollPace::kFreeOffers};
  if (answer.has_ended()) {
    return {absl::StrCat("ended ", answer.ended().header().study_hash()), 1};
  }
  const v1::Header& header = answer.task().header();
  return {absl::StrCat("task ", answer.task().kind(), " ", header.round(), " ",
                       header.study_hash()),
          PollPace::kFreeTasks};
}

}  // namespace

absl::Duration PollPace::After(const absl::Status& status,
                               const v1::NextTaskResponse& answer) {
  const absl::Time now = clock_.Now();
  if (now - hour_began_ >= absl::Hours(1) || now < hour_began_) {
    hour_began_ = now;
    counts_.clear();
  }
  const bool is_refused = absl::IsDataLoss(status);
  const bool is_empty =
      absl::IsCancelled(status) || (!is_refused && !answer.has_offer() &&
                                    !answer.has_ended() && !answer.has_task());
  if (is_empty && now - asked_ > kAtOnce) {
    counts_.erase("empty");
    return absl::ZeroDuration();
  }
  const Kind kind = is_empty     ? Kind{"empty", kFreeEmpty}
                    : is_refused ? Kind{"refused", kFreeRefused}
                                 : KindOf(answer);
  const int beyond = ++counts_[kind.key] - kind.free;
  if (beyond <= 0) return absl::ZeroDuration();
  return std::min(kLongestPause, kFirstPause * (1 << std::min(beyond - 1, 7)));
}

}  // namespace hilum
