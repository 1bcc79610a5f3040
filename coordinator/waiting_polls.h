// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_WAITING_POLLS_H_
#define HILUM_COORDINATOR_WAITING_POLLS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/ids.h"
#include "hilum/v1/federation.pb.h"

namespace hilum {

// NextTask calls that wait for work, without a thread each: one thread asks
// again for the sites that something has changed for. Each poll is answered
// once: with what there is, with `none` at its deadline or to make room, or
// with UNAVAILABLE at the shutdown. Life: Wait, Wake and Cancel at will,
// then Shutdown. Thread-safe.
class WaitingPolls {
 public:
  using Answer = absl::StatusOr<v1::NextTaskResponse>;
  // Called once, from any thread and without locks of this object.
  using Done = std::function<void(Answer)>;
  // What there is for the site now; nothing: it waits on. Takes locks of its
  // own; Wake may be called with them held.
  using Ask = std::function<absl::StatusOr<std::optional<v1::NextTaskResponse>>(
      const SiteId&, const v1::NextTaskRequest&)>;
  // Told when a poll's time is over without work.
  using OnNone = std::function<void(const SiteId&)>;

  // A site that polls more often has its oldest poll answered.
  static constexpr size_t kPerSite = 4;
  static constexpr size_t kInAll = 4096;

  WaitingPolls(Ask ask, OnNone on_none, Clock& clock);
  ~WaitingPolls();

  // Asks at once; waits for `wait` at most. The poll's id.
  uint64_t Wait(const SiteId& site, v1::NextTaskRequest request,
                absl::Duration wait, Done done);
  // The caller has gone: answers CANCELLED. Harmless once it is answered.
  void Cancel(uint64_t id);
  // Something may have changed for the site.
  void Wake(const SiteId& site);
  // Answers all with UNAVAILABLE, and later ones as `ask` does.
  void Shutdown();

  size_t size() const;

 private:
  struct Poll {
    SiteId site;
    std::shared_ptr<const v1::NextTaskRequest> request;  // asked without locks
    absl::Time until;
    Done done;
  };
  struct Answered {
    Done done;
    Answer answer;
  };

  // Keeps a poll that there was nothing for after `wakes` wakes. Its id; 0:
  // it is answered, as this object is shut down.
  uint64_t Keep(Poll poll, uint64_t wakes) ABSL_LOCKS_EXCLUDED(mutex_);

  void Loop();
  // Asks for the site's polls; with the lock let go meanwhile.
  void AskAgain(const SiteId& site) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AnswerLate() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes the poll out, where it is still here.
  std::optional<Poll> Take(uint64_t id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes out what must go before one more of the site.
  std::vector<Poll> MakeRoom(const SiteId& site)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Ask ask_;
  const OnNone on_none_;
  Clock& clock_;

  mutable absl::Mutex mutex_;
  absl::CondVar changed_;
  std::map<uint64_t, Poll> polls_ ABSL_GUARDED_BY(mutex_);  // oldest first
  std::map<SiteId, std::set<uint64_t>> sites_ ABSL_GUARDED_BY(mutex_);
  std::set<std::pair<absl::Time, uint64_t>> deadlines_ ABSL_GUARDED_BY(mutex_);
  std::set<SiteId> woken_ ABSL_GUARDED_BY(mutex_);
  uint64_t wakes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  bool shutdown_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_WAITING_POLLS_H_
