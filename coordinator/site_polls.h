// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_SITE_POLLS_H_
#define HILUM_COORDINATOR_SITE_POLLS_H_

#include <map>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/ids.h"
#include "coordinator/federation_handler.h"
#include "coordinator/study_book.h"
#include "coordinator/waiting_polls.h"

namespace hilum {

// Answers sites' polls for work: the offer, the task or the end of one of their
// studies. Thread-safe.
class SitePolls {
 public:
  // `book` outlives this object.
  explicit SitePolls(StudyBook& book);

  uint64_t Start(const SiteId& site, const v1::NextTaskRequest& request,
                 FederationHandler::PollDone done);
  void Cancel(uint64_t poll) { polls_.Cancel(poll); }
  // Asks the site's polls again: something may have changed for them.
  void Wake(const SiteId& site) { polls_.Wake(site); }
  void Shutdown() { polls_.Shutdown(); }

 private:
  // Returns an answer for the site from any of its studies; nothing: there is
  // none.
  absl::StatusOr<std::optional<v1::NextTaskResponse>> Ask(
      const SiteId& site, const v1::NextTaskRequest& request);
  // Returns whether `study` has an answer for this site now.
  bool Answer(ActiveStudy& study, const SiteId& site,
              const v1::NextTaskRequest& request,
              v1::NextTaskResponse& response)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(book_.mutex());
  // Logs, at most once an hour, that no study names the site.
  void OnIdle(const SiteId& site);

  StudyBook& book_;
  std::map<SiteId, absl::Time> idle_lines_ ABSL_GUARDED_BY(book_.mutex());
  // Its thread calls this object, so it is destroyed first.
  WaitingPolls polls_;
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_SITE_POLLS_H_
