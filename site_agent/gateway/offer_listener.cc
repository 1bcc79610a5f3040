// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/offer_listener.h"

#include <utility>

namespace hilum {

OfferListener::OfferListener(Options options)
    : options_(std::move(options)), thread_([this] { Run(); }) {}

OfferListener::~OfferListener() {
  {
    absl::MutexLock lock(&mutex_);
    ended_ = true;
    // Only a question in flight is interrupted: otherwise the next one would
    // be.
    if (asking_) options_.interrupt();
  }
  thread_.join();
}

bool OfferListener::WaitFor(absl::Duration pause) {
  mutex_.AwaitWithTimeout(absl::Condition(&ended_), pause);
  return !ended_;
}

void OfferListener::Run() {
  absl::MutexLock lock(&mutex_);
  absl::Duration pause = options_.patience;
  while (WaitFor(pause)) {
    asking_ = true;
    mutex_.Unlock();
    pause = options_.ask();
    mutex_.Lock();
    asking_ = false;
  }
}

}  // namespace hilum
