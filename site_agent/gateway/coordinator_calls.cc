// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/coordinator_calls.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "site_agent/gateway/call_outcome.h"

namespace hilum {

absl::Status CoordinatorCalls::CallOnce(
    absl::string_view method, const google::protobuf::Message& request,
    google::protobuf::Message* response, absl::Duration timeout) {
  return gate_.Call(method, request, response, timeout);
}

absl::Status CoordinatorCalls::Call(absl::string_view method,
                                    const google::protobuf::Message& request,
                                    google::protobuf::Message* response,
                                    absl::Duration timeout) {
  absl::Duration pause = kFirstPause;
  bool said = false;
  StepPatience patience;
  for (;;) {
    absl::Status status = CallOnce(method, request, response, timeout);
    if (!patience.MayRepeat(status)) {
      if (said && status.ok()) log_("the coordinator answers again");
      return status;
    }
    patience.OnFailed(status);
    if (!said) {
      log_(absl::StrCat("warning: ", method, ": ", status.message(),
                        "; trying again"));
      said = true;
    }
    if (!Pause(pause)) return absl::CancelledError("stopped");
    pause = std::min(pause * 2, kLongestPause);
  }
}

bool CoordinatorCalls::Pause(absl::Duration pause) {
  const absl::Time until = clock_.Now() + pause;
  absl::MutexLock lock(&mutex_);
  while (!stop_ && clock_.Now() < until) {
    changed_.WaitWithTimeout(&mutex_, until - clock_.Now());
  }
  return !stop_;
}

void CoordinatorCalls::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
    changed_.SignalAll();
  }
  transport_.Shutdown();
}

bool CoordinatorCalls::stopped() {
  absl::MutexLock lock(&mutex_);
  return stop_;
}

}  // namespace hilum
