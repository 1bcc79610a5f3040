// SPDX-License-Identifier: Apache-2.0
#include "coordinator/sum_attempts.h"

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/base/status_macros.h"
#include "common/secagg/chain.h"
#include "common/secagg/context.h"

namespace hilum {
namespace {

constexpr int kMostAttempts = 8;
constexpr size_t kSumIdSize = 32;

}  // namespace

std::unique_ptr<SecureSum> SumAttempts::MakeSum(std::string id) const {
  SecureSum::Options options{
      .context =
          ContextOf(study_, setup_.study_hash, round_,
                    Question(setup_.study_hash, round_, kind_, setup_.chain)),
      .id = std::move(id),
      .minimum_sites = study_.aggregation().minimum_sites(),
      .step_deadline =
          absl::Seconds(study_.aggregation().step_deadline_seconds())};
  return std::make_unique<SecureSum>(std::move(options), *setup_.verifier);
}

void SumAttempts::StartRound(uint32_t round, v1::Task::Kind kind) {
  round_ = round;
  kind_ = kind;
  attempts_ = 0;
  Repeat();
}

void SumAttempts::Repeat() {
  std::string id(kSumIdSize, '\0');
  setup_.rng->Fill(
      absl::MakeSpan(reinterpret_cast<uint8_t*>(id.data()), id.size()));
  sum_ = MakeSum(std::move(id));
  record_stored_ = false;
  ++attempts_;
}

bool SumAttempts::MayRepeat() const { return attempts_ < kMostAttempts; }

// Waiting for an absent site may have used up the round's deadline.
absl::Time SumAttempts::DeadlineFrom(absl::Time begun) const {
  return begun + absl::Seconds(study_.aggregation().round_deadline_seconds());
}

void SumAttempts::Begin(const std::map<SiteId, std::string>& refused,
                        absl::Time now) {
  sum_->Begin(now);
  deadline_ = DeadlineFrom(now);
  for (const auto& [site, reason] : refused) sum_->Leave(site);
}

SecureSum::State SumAttempts::Advance(absl::Time now) {
  return sum_->Advance(now, deadline_);
}

absl::Status SumAttempts::CheckVector(const SiteId& site) const {
  if (sum_->step() == SecAggServer::Step::kMaskedInput && sum_->Waits(site)) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "round ", round_, ": no vector of ", site.name(), " is waited for"));
}

bool SumAttempts::HasRecordToStore() const {
  return sum_->step() == SecAggServer::Step::kUnmask && !record_stored_;
}

absl::Status SumAttempts::Resume(const v1::SecureSumRecord& record,
                                 const std::map<SiteId, std::string>& refused,
                                 absl::Time now) {
  if (record.round() != round_ || record.sum_id().size() != kSumIdSize) {
    return absl::DataLossError("a record of no sum of this round");
  }
  std::unique_ptr<SecureSum> resumed = MakeSum(record.sum_id());
  HILUM_RETURN_IF_ERROR(resumed->Replay(record, now));
  for (const auto& [site, reason] : refused) resumed->Leave(site);
  sum_ = std::move(resumed);
  deadline_ = DeadlineFrom(now);
  record_stored_ = true;
  return absl::OkStatus();
}

void SumAttempts::OnLost() {
  lost_vectors_.insert(sum_->vectors().begin(), sum_->vectors().end());
}

}  // namespace hilum
