// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_ROUND_CLOSER_H_
#define HILUM_COORDINATOR_ROUND_CLOSER_H_

#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/aggregation/fed_avg.h"
#include "coordinator/study_book.h"

namespace hilum {

// Closes rounds on a thread of its own, so that no site waits for an
// aggregation in its call: notices deadlines, sums what came, commits it, and
// deletes files that nobody needs any more. Tries again what a full disk
// prevented. Life: Start, StudyBook::Shutdown, Join.
class RoundCloser {
 public:
  // `book` outlives this object.
  explicit RoundCloser(StudyBook& book) : book_(book) {}
  ~RoundCloser();
  RoundCloser(const RoundCloser&) = delete;
  RoundCloser& operator=(const RoundCloser&) = delete;

  void Start();
  // Waits for the thread. Call after StudyBook::Shutdown.
  void Join();

 private:
  void Run();
  // Returns the vectors of the closed round, and their keys in the spool.
  absl::StatusOr<std::vector<UpdateInput>> UpdatesOf(
      const ActiveStudy& study, std::vector<UploadSpool::Key>& keys) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(book_.mutex());
  // These release the lock while they compute. A sum that cannot be valid ends
  // the study.
  absl::Status Aggregate(ActiveStudy& study)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(book_.mutex());
  absl::Status AggregateModels(ActiveStudy& study)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(book_.mutex());
  // Aggregates a masked census or evaluation.
  absl::Status AggregateTotals(ActiveStudy& study)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(book_.mutex());
  // Handles a failed aggregation of the closed round. OK: handled; otherwise
  // the aggregation is tried again.
  absl::Status OnNoAggregate(ActiveStudy& study, const absl::Status& why)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(book_.mutex());

  StudyBook& book_;
  std::thread thread_;
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_ROUND_CLOSER_H_
