// SPDX-License-Identifier: Apache-2.0
// Rounds with secure aggregation.
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/config/study.h"
#include "common/secagg/chain.h"
#include "coordinator/study_machine.h"

namespace hilum {
namespace {

// Limits attempts: a site that breaks off each sum must not keep the others
// busy for ever.
constexpr int kMostAttempts = 8;
constexpr int kMostLostRounds = 3;
constexpr size_t kSumIdSize = 32;

}  // namespace

std::unique_ptr<SecureSum> StudyMachine::MakeSum(std::string id) const {
  SecureSum::Options options{
      .context = ContextOf(study_, setup_.study_hash, round_.number(),
                           Question(setup_.study_hash, round_.number(),
                                    KindOfPhase(), setup_.chain)),
      .id = std::move(id),
      .minimum_sites = study_.aggregation().minimum_sites(),
      .step_deadline =
          absl::Seconds(study_.aggregation().step_deadline_seconds())};
  return std::make_unique<SecureSum>(std::move(options), *setup_.verifier);
}

void StudyMachine::StartSum() {
  std::string id(kSumIdSize, '\0');
  setup_.rng->Fill(
      absl::MakeSpan(reinterpret_cast<uint8_t*>(id.data()), id.size()));
  sum_ = MakeSum(std::move(id));
  record_stored_ = false;
  ++attempts_;
}

// Waiting for an absent site may have used up the round's deadline.
absl::Time StudyMachine::SumDeadline(absl::Time begun) const {
  return begun + absl::Seconds(study_.aggregation().round_deadline_seconds());
}

absl::Time StudyMachine::deadline() const {
  return sum_ == nullptr || sum_->IsGathering() ? round_.deadline()
                                                : sum_->deadline();
}

std::vector<SiteId> StudyMachine::waiting() const {
  return sum_ == nullptr || sum_->IsGathering() ? round_.waiting()
                                                : sum_->waiting();
}

const std::set<SiteId>& StudyMachine::answered() const {
  return sum_ == nullptr ? round_.answered() : sum_->survivors();
}

absl::Status StudyMachine::CheckStep(const SiteId& site, uint32_t round) const {
  HILUM_RETURN_IF_ERROR(CheckMember(site));
  if (sum_ != nullptr) return CheckOpen(site, round);
  return absl::FailedPreconditionError(
      "the study is without secure aggregation");
}

absl::Status StudyMachine::CheckVector(const SiteId& site,
                                       uint32_t round) const {
  HILUM_RETURN_IF_ERROR(CheckStep(site, round));
  if (sum_->step() == SecAggServer::Step::kMaskedInput && sum_->Waits(site)) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "round ", round, ": no vector of ", site.name(), " is waited for"));
}

absl::Status StudyMachine::OnStep(const SiteId& site,
                                  const v1::SubmitSecureStepRequest& said) {
  absl::Status status = sum_->On(site, said);
  if (absl::IsInvalidArgument(status) || absl::IsUnauthenticated(status)) {
    Refuse(site, std::string(status.message()));
  }
  HILUM_RETURN_IF_ERROR(status);
  if (said.has_keys()) round_.Accept(site);
  if (said.said_case() == v1::SubmitSecureStepRequest::kLeave) {
    Refuse(site, "left the masked sum, its own log says why");
  }
  return status;
}

bool StudyMachine::HasRecordToStore() const {
  return sum_ != nullptr && sum_->step() == SecAggServer::Step::kUnmask &&
         !record_stored_;
}

absl::Status StudyMachine::Resume(const v1::SecureSumRecord& record,
                                  absl::Time now) {
  if (sum_ == nullptr || record.round() != round_.number() ||
      record.sum_id().size() != kSumIdSize) {
    return absl::DataLossError("a record of no sum of this round");
  }
  std::unique_ptr<SecureSum> resumed = MakeSum(record.sum_id());
  HILUM_RETURN_IF_ERROR(resumed->Replay(record, now));
  for (const auto& [site, reason] : round_.refused()) resumed->Leave(site);
  sum_ = std::move(resumed);
  sum_deadline_ = SumDeadline(now);
  record_stored_ = true;
  return absl::OkStatus();
}

void StudyMachine::AcceptCensus(const SiteId& site) {
  const bool returns = withdrawn_.erase(site) > 0;
  if (phase_ == v1::StudyStatus::PREPARING) census_.insert(site);
  // A sum accepts no site after its first step; the next sum does.
  if (!returns || !sum_->IsGathering()) return;
  if (sum_->Waits(site)) round_.Admit(site);
  // The site's keys are in, so it is not asked for them.
  if (sum_->HasAnswer(site)) round_.Accept(site);
}

void StudyMachine::CloseCohort() {
  for (const std::string& name : study_.sites()) {
    const SiteId site(name);
    if (census_.contains(site)) continue;
    excluded_.emplace(site,
                      "the cohort's census was summed without it; with secure "
                      "aggregation no site can be added to that sum later");
  }
}

StudyMachine::Command StudyMachine::BeginSum(absl::Time now) {
  sum_->Begin(now);
  sum_deadline_ = SumDeadline(now);
  for (const auto& [site, reason] : round_.refused()) sum_->Leave(site);
  return AdvanceSum(now);
}

StudyMachine::Command StudyMachine::AdvanceSum(absl::Time now) {
  switch (sum_->Advance(now, sum_deadline_)) {
    case SecureSum::State::kOpen:
      return Command::kNone;
    case SecureSum::State::kDone:
      aggregating_ = true;
      return Command::kAggregate;
    case SecureSum::State::kLost:
      return TryAgain(now);
    case SecureSum::State::kLostRevealed:
      return GiveUpRound(sum_->reason());
  }
  return Command::kNone;
}

StudyMachine::Command StudyMachine::TryAgain(absl::Time now) {
  lost_vectors_.insert(sum_->vectors().begin(), sum_->vectors().end());
  if (now >= round_.deadline() || attempts_ >= kMostAttempts) {
    Stop(absl::StrCat("round ", round_.number(), ": ", attempts_,
                      " attempts at its masked sum were lost; the last ",
                      sum_->reason()));
    return Command::kEnded;
  }
  round_ = MakeRound(round_.number(), round_.deadline());
  StartSum();
  return Command::kNone;
}

StudyMachine::Command StudyMachine::GiveUpRound(std::string why) {
  loss_ = std::move(why);
  lost_vectors_.insert(sum_->vectors().begin(), sum_->vectors().end());
  if (phase_ == v1::StudyStatus::TRAINING &&
      lost_rounds_ + 1 < kMostLostRounds) {
    aggregating_ = true;
    return Command::kAggregate;
  }
  Stop(absl::StrCat("round ", round_.number(), ": its masked sum was lost ",
                    loss_,
                    phase_ == v1::StudyStatus::TRAINING
                        ? ", as those of the rounds before it"
                        : "; sites take part in it once only"));
  return Command::kEnded;
}

}  // namespace hilum
