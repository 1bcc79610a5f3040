// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_OFFER_LISTENER_H_
#define HILUM_SITE_AGENT_GATEWAY_OFFER_LISTENER_H_

#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace hilum {

// Asks the coordinator for new offers on a thread of its own, while the
// session's thread waits for its trainer, which may load cases or train for
// hours. Life: one object serves one call of the trainer; its thread ends with
// it.
class OfferListener {
 public:
  struct Options {
    // The first question waits this long: most calls of the trainer are
    // shorter.
    absl::Duration patience;
    // Asks once, and returns how long to wait before the next question. Called
    // from the listener's thread only.
    std::function<absl::Duration()> ask;
    // Ends a question in flight. Called from the destructor's thread.
    std::function<void()> interrupt;
  };

  explicit OfferListener(Options options);
  // Ends a question in flight and waits for the thread.
  ~OfferListener();
  OfferListener(const OfferListener&) = delete;
  OfferListener& operator=(const OfferListener&) = delete;

 private:
  void Run();
  // Returns false when the listener ends.
  bool WaitFor(absl::Duration pause) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  absl::Mutex mutex_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool asking_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_OFFER_LISTENER_H_
