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
// again for the sites with changes. Each poll is answered once: with work, with
// `none` at its deadline or to make room, or with UNAVAILABLE at the shutdown.
// Life: any Wait, Wake and Cancel, then Shutdown. Thread-safe.
class WaitingPolls {
 public:
  using Answer = absl::StatusOr<v1::NextTaskResponse>;
  // Called once, from any thread and without locks of this object.
  using Done = std::function<void(Answer)>;
  // Returns the site's work; nothing: it waits on. Takes locks of its own; Wake
  // may be called with them held.
  using Ask = std::function<absl::StatusOr<std::optional<v1::NextTaskResponse>>(
      const SiteId&, const v1::NextTaskRequest&)>;
  // Called when a poll's time is over without work.
  using OnNone = std::function<void(const SiteId&)>;

  // Polls of one site; where it sends more, its oldest poll is answered.
  static constexpr size_t kPerSite = 4;
  static constexpr size_t kInAll = 4096;

  WaitingPolls(Ask ask, OnNone on_none, Clock& clock);
  ~WaitingPolls();

  // Asks at once; waits for at most `wait`. Returns the poll's id.
  uint64_t Wait(const SiteId& site, v1::NextTaskRequest request,
                absl::Duration wait, Done done);
  // Answers CANCELLED, since the caller has gone. Does nothing once it is
  // answered.
  void Cancel(uint64_t id);
  // Wakes the site's polls: something may have changed for the site.
  void Wake(const SiteId& site);
  // Answers all polls with UNAVAILABLE, and later ones as `ask` does.
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

  // Keeps a poll that had no work after `wakes` wakes. Returns its id; 0: it is
  // answered, since this object is shut down.
  uint64_t Keep(Poll poll, uint64_t wakes) ABSL_LOCKS_EXCLUDED(mutex_);

  void Loop();
  // Asks for the site's polls; releases the lock meanwhile.
  void AskAgain(const SiteId& site) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AnswerLate() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes the poll out, if it is still here.
  std::optional<Poll> Take(uint64_t id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes out the polls that make room for one more of the site.
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
