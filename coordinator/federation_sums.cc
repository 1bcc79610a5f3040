// SPDX-License-Identifier: Apache-2.0
// Publishes the openings of sums: sites verify with them that a sum covers its
// survivors' vectors and that the next question follows from it.
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/config/cohort_rules.h"
#include "common/crypto/sha256.h"
#include "common/secagg/chain.h"
#include "common/secagg/vector_checksum.h"
#include "coordinator/federation_core.h"

namespace hilum {

absl::StatusOr<AggregateResult> FederationCore::AggregateMasked(
    const SecureSum& sum, AggregateOptions& options, v1::SumOpening& opening) {
  HILUM_ASSIGN_OR_RETURN(opening, sum.Open());
  HILUM_ASSIGN_OR_RETURN(options.unmask, sum.Unmask(opening));
  return AggregateUpdates(options);
}

absl::StatusOr<VectorSum> FederationCore::SumMasked(
    const SecureSum& sum, const std::vector<std::string>& paths, int64_t size,
    v1::SumOpening& opening) {
  HILUM_ASSIGN_OR_RETURN(opening, sum.Open());
  HILUM_ASSIGN_OR_RETURN(VectorMask unmask, sum.Unmask(opening));
  return SumVectorsAndCarries(paths, size, unmask);
}

absl::StatusOr<v1::SumsRecord> FederationCore::PublishOpening(
    ActiveStudy& study, v1::StudyChain after, v1::SumOpening& opening) {
  const v1::Task::Kind kind =
      study.machine().phase() == v1::StudyStatus::PREPARING ? v1::Task::PREPARE
                                                            : v1::Task::TRAIN;
  opening.set_kind(kind);
  *opening.mutable_before() = study.machine().chain();
  *opening.mutable_after() = after;
  const std::string bytes = opening.SerializeAsString();
  mutex_.Unlock();
  absl::StatusOr<std::string> sha256 = blobs_.Put(bytes);
  mutex_.Lock();
  HILUM_RETURN_IF_ERROR(sha256.status());
  if (study.Ended()) {
    obsolete_blobs_.push_back(*sha256);
    obsolete_blobs_.push_back(opening.sum().sha256());
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

absl::Status FederationCore::CommitMasked(ActiveStudy& study,
                                          const AggregateResult& result,
                                          v1::SumOpening& opening) {
  const RoundModel model = ModelOf(result);
  RoundSummary summary = study.Summarise(result);
  opening.mutable_sum()->set_sha256(result.sum_sha256);
  opening.mutable_sum()->set_size(result.sum_bytes);
  absl::StatusOr<v1::SumsRecord> sums = PublishOpening(
      study, study.AfterTraining(opening, summary, model), opening);
  if (absl::IsCancelled(sums.status())) {
    obsolete_blobs_.push_back(model.global.sha256());
    obsolete_blobs_.push_back(model.optimizer.sha256());
    return absl::OkStatus();
  }
  HILUM_RETURN_IF_ERROR(sums.status());
  return Commit(study, std::move(summary), model, &*sums);
}

absl::Status FederationCore::CommitCensus(ActiveStudy& study,
                                          const VectorSum& summed,
                                          v1::SumOpening& opening) {
  mutex_.Unlock();
  absl::StatusOr<std::string> put = blobs_.Put(summed.file);
  mutex_.Lock();
  HILUM_RETURN_IF_ERROR(put.status());
  opening.mutable_sum()->set_sha256(*put);
  opening.mutable_sum()->set_size(summed.file.size());
  absl::StatusOr<v1::SumsRecord> sums =
      PublishOpening(study, study.AfterCensus(opening, summed.words), opening);
  if (absl::IsCancelled(sums.status())) return absl::OkStatus();
  HILUM_RETURN_IF_ERROR(sums.status());
  const StoredStudy& stored = study.stored();
  HILUM_RETURN_IF_ERROR(
      storage_->CommitTotals(stored.hash, *stored.census_totals, *sums));
  TakeSums(study, *std::move(sums));
  WarnOfSmallCells(study);
  study.machine().Committed(clock_.Now());
  return absl::OkStatus();
}

void FederationCore::WarnOfSmallCells(const ActiveStudy& study) {
  const absl::Status cells =
      CheckCells(study.study(), *study.stored().census_totals,
                 PolicyLimits().minimum_cell_patients);
  if (cells.ok()) return;
  options_.log(absl::StrCat("warning: study ", study.study().name(), ": ",
                            cells.message(),
                            "; sites with the default policy will refuse to "
                            "train"));
}

std::set<UploadSpool::Key> FederationCore::KeptVectors(
    const ActiveStudy& study) const {
  std::set<UploadSpool::Key> keys;
  if (study.Ended() || !study.stored().sums.has_value()) return keys;
  const v1::SumsRecord& sums = *study.stored().sums;
  for (const v1::SumsRecord::Vector& vector : sums.vectors()) {
    keys.insert(UploadKey(SiteId(vector.site()), study.MakeHeader(sums.round()),
                          vector.vector()));
  }
  return keys;
}

absl::Status FederationCore::CheckChecksum(
    const SiteId& site, const v1::SubmitSecureStepRequest& request) {
  std::optional<UploadSpool::Key> vector;
  std::string challenge;
  {
    absl::MutexLock lock(&mutex_);
    HILUM_ASSIGN_OR_RETURN(ActiveStudy * study,
                           StudyOf(site, request.header()));
    HILUM_RETURN_IF_ERROR(
        study->machine().CheckStep(site, request.header().round()));
    challenge = ChecksumChallenge(study->machine().chain());
    for (const UploadSpool::Key& key : KeptVectors(*study)) {
      if (key.site == site) vector = key;
    }
  }
  if (vector.has_value()) {
    absl::StatusOr<std::string> path = uploads_->KeptPath(*vector);
    // A vector that is lost here cannot prove a fault of its site.
    if (!path.ok()) return absl::OkStatus();
    absl::StatusOr<VectorChecksum> checksum = ChecksumOfVector(
        *path, static_cast<int64_t>(vector->size / sizeof(uint32_t)),
        challenge);
    if (!checksum.ok() || checksum->ToBytes() == request.keys().checksum()) {
      return absl::OkStatus();
    }
  }
  const absl::Status why = absl::InvalidArgumentError(
      absl::StrCat("secure aggregation: the checksum of ", site.name(),
                   " is not that of what it gave to the last sum"));
  absl::MutexLock lock(&mutex_);
  HILUM_ASSIGN_OR_RETURN(ActiveStudy * study, StudyOf(site, request.header()));
  HILUM_RETURN_IF_ERROR(
      study->machine().CheckStep(site, request.header().round()));
  Refuse(*study, site, why);
  return why;
}

void FederationCore::TakeSums(ActiveStudy& study, v1::SumsRecord sums) {
  StoredStudy& stored = study.stored();
  for (const UploadSpool::Key& key : KeptVectors(study)) {
    obsolete_uploads_.push_back(key);
  }
  // IsUsed keeps the blobs of the census.
  if (stored.sums.has_value()) {
    obsolete_blobs_.push_back(stored.sums->last_opening().sha256());
    obsolete_blobs_.push_back(stored.sums->last_sum().sha256());
  }
  study.machine().SetChain(sums.chain());
  stored.sums = std::move(sums);
  uploads_->Keep(stored.hash, KeptVectors(study));
}

}  // namespace hilum
