// SPDX-License-Identifier: Apache-2.0
#include "coordinator/round_commits.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status_macros.h"
#include "common/config/cohort_rules.h"
#include "common/secagg/chain.h"

namespace hilum {
namespace {

// Replaces the study's sums after a commit; the files of the earlier sum may
// go.
void TakeSums(StudyBook& book, ActiveStudy& study, v1::SumsRecord sums)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(book.mutex()) {
  StoredStudy& stored = study.stored();
  for (const UploadSpool::Key& key : KeptVectors(study)) {
    book.DropUpload(key);
  }
  // IsUsed keeps the blobs of the census.
  if (stored.sums.has_value()) {
    book.DropBlob(stored.sums->last_opening().sha256());
    book.DropBlob(stored.sums->last_sum().sha256());
  }
  study.machine().SetChain(sums.chain());
  stored.sums = std::move(sums);
  book.uploads().Keep(stored.hash, KeptVectors(study));
}

// Warns the operator of arms whose tracks are not validated.
void WarnOfUnvalidatedArms(StudyBook& book, const ActiveStudy& study)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(book.mutex()) {
  for (const std::string& arm :
       DescribeUnvalidatedArms(study.study(), study.CohortTotals())) {
    book.Log(absl::StrCat("warning: study ", study.study().name(),
                          ": validation: ", arm));
  }
}

// Logs the tracks that stopped in the last round, and an early end.
void LogStopped(StudyBook& book, const ActiveStudy& study,
                const std::vector<std::string>& stopped, bool trained)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(book.mutex()) {
  const std::vector<RoundSummary>& rounds = study.stored().rounds;
  const std::string where = absl::StrCat("study ", study.study().name(),
                                         ", round ", rounds.back().round);
  if (!stopped.empty()) {
    book.Log(absl::StrCat(where, ": validation ends the training of ",
                          absl::StrJoin(stopped, ", ")));
  }
  if (trained && rounds.size() < study.study().training().rounds()) {
    book.Log(absl::StrCat(
        where, ": validation brings no gain any more, training ends"));
  }
}

// `sums`: null where there is no sum.
absl::Status Commit(StudyBook& book, ActiveStudy& study, RoundSummary summary,
                    const RoundModels& models, v1::SumsRecord* sums = nullptr)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(book.mutex()) {
  StoredStudy& stored = study.stored();
  HILUM_RETURN_IF_ERROR(book.storage().CommitRound(stored.hash, summary,
                                                   models.global, models.best,
                                                   sums, models.optimizer));
  if (sums != nullptr) TakeSums(book, study, std::move(*sums));
  // IsUsed keeps the blob of the present chosen models.
  for (const v1::BlobRef& was :
       {stored.global, stored.best, stored.optimizer}) {
    if (was.size() > 0) book.DropBlob(was.sha256());
  }
  const std::vector<std::string> stopped =
      study.StoppedBetween(study.Models().choices, models.choices);
  stored.global = models.global;
  stored.best = models.best;
  stored.optimizer = models.optimizer;
  stored.updates.clear();
  stored.rounds.push_back(std::move(summary));
  const bool trained = study.TrainingIsOver();
  if (stored.rounds.size() == 1 && !study.IsSecure()) {
    WarnOfUnvalidatedArms(book, study);  // else the census' sum has shown it
  }
  LogStopped(book, study, stopped, trained);
  study.machine().Committed(book.clock().Now(), trained);
  return absl::OkStatus();
}

// Completes the opening, stores it as a blob and returns the record of the
// study's sums to keep once the round is committed. CANCELLED: the study was
// stopped meanwhile.
absl::StatusOr<v1::SumsRecord> PublishOpening(StudyBook& book,
                                              ActiveStudy& study,
                                              v1::StudyChain after,
                                              v1::SumOpening& opening)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(book.mutex()) {
  const v1::Task::Kind kind =
      study.machine().phase() == v1::StudyStatus::PREPARING ? v1::Task::PREPARE
                                                            : v1::Task::TRAIN;
  opening.set_kind(kind);
  *opening.mutable_before() = study.machine().chain();
  *opening.mutable_after() = after;
  const std::string bytes = opening.SerializeAsString();
  book.mutex().Unlock();
  absl::StatusOr<std::string> sha256 = book.blobs().Put(bytes);
  book.mutex().Lock();
  HILUM_RETURN_IF_ERROR(sha256.status());
  if (study.Ended()) {
    book.DropBlob(*sha256);
    book.DropBlob(opening.sum().sha256());
    return absl::CancelledError("the study was stopped meanwhile");
  }

  v1::SumsRecord sums;
  if (study.stored().sums.has_value()) sums = *study.stored().sums;
  *sums.mutable_chain() = std::move(after);
  sums.mutable_last_opening()->set_sha256(*sha256);
  sums.mutable_last_opening()->set_size(bytes.size());
  *sums.mutable_last_sum() = opening.sum();
  if (kind == v1::Task::PREPARE) {
    *sums.mutable_census_opening() = sums.last_opening();
    *sums.mutable_census_sum() = sums.last_sum();
  }
  sums.set_round(opening.round());
  sums.clear_vectors();
  for (const v1::SumOpening::Survivor& survivor : opening.survivors()) {
    v1::SumsRecord::Vector& vector = *sums.add_vectors();
    vector.set_site(survivor.site());
    *vector.mutable_vector() = survivor.vector();
  }
  return sums;
}

// Warns the operator where sites will refuse the cohort's census.
void WarnOfSmallCells(StudyBook& book, const ActiveStudy& study)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(book.mutex()) {
  const absl::Status cells =
      CheckCells(study.study(), *study.stored().census_totals,
                 PolicyLimits().minimum_cell_patients);
  WarnOfUnvalidatedArms(book, study);
  if (cells.ok()) return;
  book.Log(absl::StrCat("warning: study ", study.study().name(), ": ",
                        cells.message(),
                        "; sites with the default policy will refuse to "
                        "train"));
}

}  // namespace

absl::Status CommitPlain(StudyBook& book, ActiveStudy& study,
                         const AggregateResult& result,
                         const RoundModels& models) {
  return Commit(book, study, study.Summarise(result), models);
}

absl::Status CommitLost(StudyBook& book, ActiveStudy& study) {
  return Commit(book, study, study.Summarise({}), study.Models());
}

absl::Status CommitMasked(StudyBook& book, ActiveStudy& study,
                          const AggregateResult& result,
                          const RoundModels& models, v1::SumOpening& opening) {
  RoundSummary summary = study.Summarise(result);
  opening.mutable_sum()->set_sha256(result.sum_sha256);
  opening.mutable_sum()->set_size(result.sum_bytes);
  absl::StatusOr<v1::SumsRecord> sums = PublishOpening(
      book, study, study.AfterTraining(opening, models), opening);
  if (absl::IsCancelled(sums.status())) {
    book.DropBlob(models.global.sha256());
    book.DropBlob(models.best.sha256());
    book.DropBlob(models.optimizer.sha256());
    return absl::OkStatus();
  }
  HILUM_RETURN_IF_ERROR(sums.status());
  return Commit(book, study, std::move(summary), models, &*sums);
}

absl::Status CommitCensus(StudyBook& book, ActiveStudy& study,
                          const VectorSum& summed, v1::SumOpening& opening) {
  book.mutex().Unlock();
  absl::StatusOr<std::string> put = book.blobs().Put(summed.file);
  book.mutex().Lock();
  HILUM_RETURN_IF_ERROR(put.status());
  opening.mutable_sum()->set_sha256(*put);
  opening.mutable_sum()->set_size(summed.file.size());
  absl::StatusOr<v1::SumsRecord> sums = PublishOpening(
      book, study, study.AfterCensus(opening, summed.words), opening);
  if (absl::IsCancelled(sums.status())) return absl::OkStatus();
  HILUM_RETURN_IF_ERROR(sums.status());
  const StoredStudy& stored = study.stored();
  HILUM_RETURN_IF_ERROR(
      book.storage().CommitTotals(stored.hash, *stored.census_totals, *sums));
  TakeSums(book, study, *std::move(sums));
  WarnOfSmallCells(book, study);
  study.machine().Committed(book.clock().Now());
  return absl::OkStatus();
}

absl::Status CommitEvaluation(StudyBook& book, ActiveStudy& study) {
  const StoredStudy& stored = study.stored();
  HILUM_RETURN_IF_ERROR(
      book.storage().CommitTotals(stored.hash, *stored.evaluation_totals));
  study.machine().Committed(book.clock().Now());
  return absl::OkStatus();
}

}  // namespace hilum
