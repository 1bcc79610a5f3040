// SPDX-License-Identifier: Apache-2.0
// The thread that closes rounds.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/aggregation/sum_vectors.h"
#include "common/base/status_macros.h"
#include "common/config/step_plan.h"
#include "common/crypto/sha256.h"
#include "coordinator/federation_core.h"
#include "coordinator/validation.h"

namespace hilum {

void FederationCore::Drive() {
  absl::MutexLock lock(&mutex_);
  while (!shutdown_) {
    if (HasObsolete()) {
      RemoveObsolete();
      continue;
    }
    if (!to_aggregate_.empty()) {
      ActiveStudy* study = to_aggregate_.front();
      absl::Status status =
          study->Ended() ? absl::OkStatus() : Aggregate(*study);
      if (status.ok()) {
        to_aggregate_.erase(to_aggregate_.begin());
        if (!study->Ended() || !study->PhaseIsStored()) Advance(*study);
      } else {
        options_.log(absl::StrCat(
            "warning: study ", study->study().name(), ", round ",
            study->machine().round(),
            ": cannot aggregate, trying again soon: ", status.message()));
        changed_.WaitWithTimeout(&mutex_, options_.retry_after);
      }
      continue;
    }
    absl::Time now = clock_.Now();
    absl::Time next = NextDeadline();
    if (next > now && AllPhasesAreStored()) {
      changed_.WaitWithTimeout(&mutex_, next - now);
      continue;
    }
    for (const auto& study : studies_) {
      if (!study->Ended() || !study->PhaseIsStored()) Advance(*study);
    }
    // A deadline that passed during an aggregation closes nothing.
    if (to_aggregate_.empty() &&
        (NextDeadline() <= now || !AllPhasesAreStored())) {
      changed_.WaitWithTimeout(&mutex_, options_.retry_after);
    }
  }
}

bool FederationCore::IsUsed(const std::string& sha256) const {
  return std::any_of(studies_.begin(), studies_.end(), [&](const auto& study) {
    return study->stored().best.sha256() == sha256 ||
           study->stored().frozen.sha256() == sha256 || study->IsServed(sha256);
  });
}

bool FederationCore::HasObsolete() const {
  return !obsolete_blobs_.empty() || !obsolete_uploads_.empty() ||
         !ended_studies_.empty();
}

void FederationCore::RemoveObsolete() {
  std::vector<std::string> blobs = std::exchange(obsolete_blobs_, {});
  std::vector<UploadSpool::Key> uploads = std::exchange(obsolete_uploads_, {});
  std::vector<std::string> studies = std::exchange(ended_studies_, {});
  mutex_.Unlock();
  for (const UploadSpool::Key& key : uploads) uploads_->Remove(key);
  for (const std::string& hash : studies) uploads_->RemoveStudy(hash);
  {
    absl::MutexLock submission(&submission_mutex_);
    for (const std::string& sha256 : blobs) {
      mutex_.Lock();
      const bool used = IsUsed(sha256);
      mutex_.Unlock();
      if (!used) blobs_.Remove(sha256);
    }
  }
  mutex_.Lock();
}

absl::StatusOr<std::vector<UpdateInput>> FederationCore::UpdatesOf(
    const ActiveStudy& study, std::vector<UploadSpool::Key>& keys) const {
  const StudyMachine& machine = study.machine();
  std::vector<UpdateInput> inputs;
  for (const SiteId& site : machine.answered()) {
    const v1::BlobRef& vector = machine.sum() != nullptr
                                    ? machine.sum()->vectors().at(site)
                                    : study.stored().updates.at(site).update();
    keys.push_back(UploadKey(site, study.MakeHeader(machine.round()), vector));
    HILUM_ASSIGN_OR_RETURN(std::string path, uploads_->Complete(keys.back()));
    inputs.push_back({.site = site.name(), .path = std::move(path)});
  }
  return inputs;
}

absl::Status FederationCore::Aggregate(ActiveStudy& study) {
  if (study.machine().SumIsLost()) {
    options_.log(absl::StrCat("warning: study ", study.study().name(),
                              ", round ", study.machine().round(),
                              " changes nothing: its masked sum was lost ",
                              study.machine().loss()));
    return Commit(study, study.Summarise({}),
                  {study.stored().global, study.stored().optimizer});
  }
  return study.machine().phase() == v1::StudyStatus::TRAINING
             ? AggregateModels(study)
             : AggregateTotals(study);
}

absl::Status FederationCore::OnNoAggregate(ActiveStudy& study,
                                           const absl::Status& why) {
  if (study.Ended()) return absl::OkStatus();  // stopped meanwhile
  if (absl::IsDataLoss(why) && study.IsSecure()) {
    study.machine().LoseSum(std::string(why.message()));
    Advance(study);
    return study.Ended() ? absl::OkStatus() : Aggregate(study);
  }
  if (!absl::IsAborted(why)) return why;
  // Another attempt would give the same.
  study.machine().Stop(
      absl::StrCat("round ", study.machine().round(), ": ", why.message()));
  Advance(study);
  return absl::OkStatus();
}

RoundModel FederationCore::ModelOf(const AggregateResult& result) {
  RoundModel model;
  model.global.set_sha256(result.sha256);
  model.global.set_size(result.num_bytes);
  if (result.state_bytes > 0) {
    model.optimizer.set_sha256(result.state_sha256);
    model.optimizer.set_size(result.state_bytes);
  }
  return model;
}

absl::Status FederationCore::AggregateModels(ActiveStudy& study) {
  StoredStudy& stored = study.stored();
  AggregateOptions options{
      .layout = study.vector_layout(),
      .fraction_bits =
          FractionBits(study.study().aggregation().clipping_norm()),
      .total_examples = study.TrackExamples(),
      .most_trained = MostTrained(study.study(), study.CohortTotals()),
      .factors = UpdateFactors(study.study(), study.CohortTotals()),
      .global_path = blobs_.Path(stored.global.sha256()),
      .output_path = blobs_.TemporaryPath(ToHex(stored.hash)),
      .server = study.Server()};
  if (options.server.has_value()) {
    options.server->output_path =
        blobs_.TemporaryPath(absl::StrCat(ToHex(stored.hash), "-optimizer"));
    if (stored.optimizer.size() > 0) {
      options.server->state_path = blobs_.Path(stored.optimizer.sha256());
    }
  }
  std::vector<UploadSpool::Key> keys;
  HILUM_ASSIGN_OR_RETURN(options.updates, UpdatesOf(study, keys));
  const SecureSum* sum = study.machine().sum();
  if (sum != nullptr) {
    options.sum_path =
        blobs_.TemporaryPath(absl::StrCat(ToHex(stored.hash), "-sum"));
  }

  v1::SumOpening opening;
  mutex_.Unlock();
  absl::StatusOr<AggregateResult> result =
      sum == nullptr ? AggregateUpdates(options)
                     : AggregateMasked(*sum, options, opening);
  absl::Status status = result.status();
  if (status.ok()) status = blobs_.Adopt(options.output_path, result->sha256);
  if (status.ok() && sum != nullptr) {
    status = blobs_.Adopt(options.sum_path, result->sum_sha256);
  }
  if (status.ok() && result->state_bytes > 0) {
    status = blobs_.Adopt(options.server->output_path, result->state_sha256);
  }
  mutex_.Lock();
  if (study.Ended() && status.ok()) {
    obsolete_blobs_.push_back(result->sha256);
    obsolete_blobs_.push_back(result->sum_sha256);
    obsolete_blobs_.push_back(result->state_sha256);
  }
  if (study.Ended() || !status.ok()) return OnNoAggregate(study, status);
  if (sum != nullptr) return CommitMasked(study, *result, opening);
  HILUM_RETURN_IF_ERROR(
      Commit(study, study.Summarise(*result), ModelOf(*result)));
  obsolete_uploads_.insert(obsolete_uploads_.end(), keys.begin(), keys.end());
  return absl::OkStatus();
}

absl::Status FederationCore::AggregateTotals(ActiveStudy& study) {
  std::vector<UploadSpool::Key> keys;
  HILUM_ASSIGN_OR_RETURN(std::vector<UpdateInput> inputs,
                         UpdatesOf(study, keys));
  std::vector<std::string> paths;
  for (const UpdateInput& input : inputs) paths.push_back(input.path);
  const int64_t size = study.VectorSize();
  const SecureSum& sum = *study.machine().sum();

  v1::SumOpening opening;
  mutex_.Unlock();
  absl::StatusOr<VectorSum> summed = SumMasked(sum, paths, size, opening);
  absl::Status status = summed.status();
  mutex_.Lock();
  StoredStudy& stored = study.stored();
  if (status.ok() && !study.Ended()) {
    status = study.ReadSum(summed->words, stored);
  }
  if (study.Ended() || !status.ok()) return OnNoAggregate(study, status);
  if (study.machine().phase() == v1::StudyStatus::PREPARING) {
    return CommitCensus(study, *summed, opening);
  }
  HILUM_RETURN_IF_ERROR(
      storage_->CommitTotals(stored.hash, *stored.evaluation_totals));
  obsolete_uploads_.insert(obsolete_uploads_.end(), keys.begin(), keys.end());
  study.machine().Committed(clock_.Now());
  return absl::OkStatus();
}

absl::Status FederationCore::Commit(ActiveStudy& study, RoundSummary summary,
                                    const RoundModel& model,
                                    v1::SumsRecord* sums) {
  StoredStudy& stored = study.stored();
  const v1::BlobRef best = study.BestAfter(summary);
  HILUM_RETURN_IF_ERROR(storage_->CommitRound(
      stored.hash, summary, model.global, best, sums, model.optimizer));
  if (sums != nullptr) TakeSums(study, std::move(*sums));
  // IsUsed keeps the blob of the present best model.
  for (const v1::BlobRef& was :
       {stored.global, stored.best, stored.optimizer}) {
    if (was.size() > 0) obsolete_blobs_.push_back(was.sha256());
  }
  stored.global = model.global;
  stored.optimizer = model.optimizer;
  stored.best = best;
  stored.updates.clear();
  stored.rounds.push_back(std::move(summary));
  const bool trained = TrainingIsOver(study.study(), stored.rounds);
  if (trained && stored.rounds.size() < study.study().training().rounds()) {
    options_.log(absl::StrCat("study ", study.study().name(), ", round ",
                              stored.rounds.back().round,
                              ": validation brings no gain any more, training "
                              "ends"));
  }
  study.machine().Committed(clock_.Now(), trained);
  return absl::OkStatus();
}

}  // namespace hilum
