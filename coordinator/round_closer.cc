// SPDX-License-Identifier: Apache-2.0
#include "coordinator/round_closer.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/aggregation/sum_vectors.h"
#include "common/base/status_macros.h"
#include "common/config/step_plan.h"
#include "common/crypto/sha256.h"
#include "coordinator/round_commits.h"
#include "coordinator/round_models.h"

namespace hilum {
namespace {

// Fill `opening` with all values that open the sum, and unmask with it.
absl::StatusOr<AggregateResult> AggregateMasked(const SecureSum& sum,
                                                AggregateOptions& options,
                                                v1::SumOpening& opening) {
  HILUM_ASSIGN_OR_RETURN(opening, sum.Open());
  HILUM_ASSIGN_OR_RETURN(options.unmask, sum.Unmask(opening));
  return AggregateUpdates(options);
}

absl::StatusOr<VectorSum> SumMasked(const SecureSum& sum,
                                    const std::vector<std::string>& paths,
                                    int64_t size, v1::SumOpening& opening) {
  HILUM_ASSIGN_OR_RETURN(opening, sum.Open());
  HILUM_ASSIGN_OR_RETURN(VectorMask unmask, sum.Unmask(opening));
  return SumVectorsAndCarries(paths, size, unmask);
}

}  // namespace

RoundCloser::~RoundCloser() { Join(); }

void RoundCloser::Start() {
  thread_ = std::thread([this] { Run(); });
}

void RoundCloser::Join() {
  if (thread_.joinable()) thread_.join();
}

void RoundCloser::Run() {
  absl::MutexLock lock(&book_.mutex());
  while (!book_.is_shut_down()) {
    if (book_.HasObsolete()) {
      book_.RemoveObsolete();
      continue;
    }
    if (!book_.to_aggregate().empty()) {
      ActiveStudy* study = book_.to_aggregate().front();
      absl::Status status =
          study->Ended() ? absl::OkStatus() : Aggregate(*study);
      if (status.ok()) {
        book_.to_aggregate().erase(book_.to_aggregate().begin());
        if (!study->Ended() || !study->PhaseIsStored()) book_.Advance(*study);
      } else {
        book_.Log(absl::StrCat(
            "warning: study ", study->study().name(), ", round ",
            study->machine().round(),
            ": cannot aggregate, trying again soon: ", status.message()));
        book_.WaitForChange(book_.options().retry_after);
      }
      continue;
    }
    absl::Time now = book_.clock().Now();
    absl::Time next = book_.NextDeadline();
    if (next > now && book_.AllPhasesAreStored()) {
      book_.WaitForChange(next - now);
      continue;
    }
    for (const auto& study : book_.studies()) {
      if (!study->Ended() || !study->PhaseIsStored()) book_.Advance(*study);
    }
    // A deadline that passed during an aggregation closes nothing.
    if (book_.to_aggregate().empty() &&
        (book_.NextDeadline() <= now || !book_.AllPhasesAreStored())) {
      book_.WaitForChange(book_.options().retry_after);
    }
  }
}

absl::StatusOr<std::vector<UpdateInput>> RoundCloser::UpdatesOf(
    const ActiveStudy& study, std::vector<UploadSpool::Key>& keys) const {
  const StudyMachine& machine = study.machine();
  std::vector<UpdateInput> inputs;
  for (const SiteId& site : machine.answered()) {
    const v1::BlobRef& vector = machine.sum() != nullptr
                                    ? machine.sum()->vectors().at(site)
                                    : study.stored().updates.at(site).update();
    keys.push_back(UploadKey(site, study.MakeHeader(machine.round()), vector));
    HILUM_ASSIGN_OR_RETURN(std::string path,
                           book_.uploads().Complete(keys.back()));
    inputs.push_back({.site = site.name(), .path = std::move(path)});
  }
  return inputs;
}

absl::Status RoundCloser::Aggregate(ActiveStudy& study) {
  if (study.machine().SumIsLost()) {
    book_.Log(absl::StrCat("warning: study ", study.study().name(), ", round ",
                           study.machine().round(),
                           " changes nothing: its masked sum was lost ",
                           study.machine().loss()));
    return CommitLost(book_, study);
  }
  return study.machine().phase() == v1::StudyStatus::TRAINING
             ? AggregateModels(study)
             : AggregateTotals(study);
}

absl::Status RoundCloser::OnNoAggregate(ActiveStudy& study,
                                        const absl::Status& why) {
  if (study.Ended()) return absl::OkStatus();  // stopped meanwhile
  if (absl::IsDataLoss(why) && study.IsSecure()) {
    study.machine().LoseSum(std::string(why.message()));
    book_.Advance(study);
    return study.Ended() ? absl::OkStatus() : Aggregate(study);
  }
  if (!absl::IsAborted(why)) return why;
  // Another attempt would give the same.
  study.machine().Stop(
      absl::StrCat("round ", study.machine().round(), ": ", why.message()));
  book_.Advance(study);
  return absl::OkStatus();
}

absl::Status RoundCloser::AggregateModels(ActiveStudy& study) {
  StoredStudy& stored = study.stored();
  AggregateOptions options{
      .layout = study.vector_layout(),
      .fraction_bits =
          FractionBits(study.study().aggregation().clipping_norm()),
      .total_examples = study.TrackExamples(),
      .most_trained = MostTrained(study.study(), study.CohortTotals()),
      .factors = UpdateFactors(study.study(), study.CohortTotals()),
      .global_path = book_.blobs().Path(stored.global.sha256()),
      .output_path = book_.blobs().TemporaryPath(ToHex(stored.hash)),
      .server = study.Server()};
  if (options.server.has_value()) {
    options.server->output_path = book_.blobs().TemporaryPath(
        absl::StrCat(ToHex(stored.hash), "-optimizer"));
    if (stored.optimizer.size() > 0) {
      options.server->state_path =
          book_.blobs().Path(stored.optimizer.sha256());
    }
  }
  std::vector<UploadSpool::Key> keys;
  HILUM_ASSIGN_OR_RETURN(options.updates, UpdatesOf(study, keys));
  const SecureSum* sum = study.machine().sum();
  if (sum != nullptr) {
    options.sum_path =
        book_.blobs().TemporaryPath(absl::StrCat(ToHex(stored.hash), "-sum"));
  }

  const RoundModels before = study.Models();
  const uint32_t round = study.machine().round();
  RoundModels after;
  v1::SumOpening opening;
  book_.mutex().Unlock();
  absl::StatusOr<AggregateResult> result =
      sum == nullptr ? AggregateUpdates(options)
                     : AggregateMasked(*sum, options, opening);
  absl::Status status = result.status();
  if (status.ok())
    status = book_.blobs().Adopt(options.output_path, result->sha256);
  if (status.ok() && sum != nullptr) {
    status = book_.blobs().Adopt(options.sum_path, result->sum_sha256);
  }
  if (status.ok() && result->state_bytes > 0) {
    status =
        book_.blobs().Adopt(options.server->output_path, result->state_sha256);
  }
  if (status.ok()) {
    auto models =
        ModelsAfter(study.study(), round, before, *result, options.layout,
                    book_.blobs(), absl::StrCat(ToHex(stored.hash), "-chosen"));
    status = models.status();
    if (status.ok()) after = *std::move(models);
  }
  book_.mutex().Lock();
  if (study.Ended() && status.ok()) {
    book_.DropBlob(result->sha256);
    book_.DropBlob(result->sum_sha256);
    book_.DropBlob(after.best.sha256());
    book_.DropBlob(result->state_sha256);
  }
  if (study.Ended() || !status.ok()) return OnNoAggregate(study, status);
  if (sum != nullptr) {
    return CommitMasked(book_, study, *result, after, opening);
  }
  HILUM_RETURN_IF_ERROR(CommitPlain(book_, study, *result, after));
  for (UploadSpool::Key& key : keys) book_.DropUpload(std::move(key));
  return absl::OkStatus();
}

absl::Status RoundCloser::AggregateTotals(ActiveStudy& study) {
  std::vector<UploadSpool::Key> keys;
  HILUM_ASSIGN_OR_RETURN(std::vector<UpdateInput> inputs,
                         UpdatesOf(study, keys));
  std::vector<std::string> paths;
  for (const UpdateInput& input : inputs) paths.push_back(input.path);
  const int64_t size = study.VectorSize();
  const SecureSum& sum = *study.machine().sum();

  v1::SumOpening opening;
  book_.mutex().Unlock();
  absl::StatusOr<VectorSum> summed = SumMasked(sum, paths, size, opening);
  absl::Status status = summed.status();
  book_.mutex().Lock();
  StoredStudy& stored = study.stored();
  if (status.ok() && !study.Ended()) {
    status = study.ReadSum(summed->words, stored);
  }
  if (study.Ended() || !status.ok()) return OnNoAggregate(study, status);
  if (study.machine().phase() == v1::StudyStatus::PREPARING) {
    return CommitCensus(book_, study, *summed, opening);
  }
  HILUM_RETURN_IF_ERROR(CommitEvaluation(book_, study));
  for (UploadSpool::Key& key : keys) book_.DropUpload(std::move(key));
  return absl::OkStatus();
}

}  // namespace hilum
