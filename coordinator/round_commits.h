// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_ROUND_COMMITS_H_
#define HILUM_COORDINATOR_ROUND_COMMITS_H_

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "common/aggregation/fed_avg.h"
#include "common/aggregation/sum_vectors.h"
#include "coordinator/round_models.h"
#include "coordinator/study_book.h"
#include "hilum/v1/opening.pb.h"

namespace hilum {

// Store what came out of closed rounds, each in one transaction, and publish
// the openings of sums: sites verify with them that a sum covers its survivors'
// vectors and that the next question follows from it. Some release the lock
// while they write. Errors: those of files and of the database; the same call
// can be repeated.

// Commits a round of training without masks, which led to `models`.
absl::Status CommitPlain(StudyBook& book, ActiveStudy& study,
                         const AggregateResult& result,
                         const RoundModels& models)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(book.mutex());
// Commits a round whose sum was lost: the model stays.
absl::Status CommitLost(StudyBook& book, ActiveStudy& study)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(book.mutex());
// Commits the round of a masked sum, whose `opening` has its shares. OK also
// where the study was stopped meanwhile.
absl::Status CommitMasked(StudyBook& book, ActiveStudy& study,
                          const AggregateResult& result,
                          const RoundModels& models, v1::SumOpening& opening)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(book.mutex());
// Like CommitMasked, for the sum of the censuses, which is in the stored study.
absl::Status CommitCensus(StudyBook& book, ActiveStudy& study,
                          const VectorSum& summed, v1::SumOpening& opening)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(book.mutex());
// Commits the sum of the evaluations, which is in the stored study.
absl::Status CommitEvaluation(StudyBook& book, ActiveStudy& study)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(book.mutex());

}  // namespace hilum

#endif  // HILUM_COORDINATOR_ROUND_COMMITS_H_
