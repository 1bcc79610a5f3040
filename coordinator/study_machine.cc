// SPDX-License-Identifier: Apache-2.0
#include "coordinator/study_machine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/config/cohort_rules.h"
#include "common/config/study.h"

namespace hilum {
namespace {

using State = Round::State;

std::vector<SiteId> Cohort(const v1::Study& study) {
  std::vector<SiteId> sites;
  for (const std::string& name : study.sites()) sites.emplace_back(name);
  return sites;
}

constexpr char kUnable[] = "cannot work on the study: ";
constexpr char kOwnLog[] = "its own log says why";

// So many rounds in a row may be lost before the study stops.
constexpr int kMostLostRounds = 3;

uint32_t MinimumSites(const v1::Study& study) {
  return static_cast<uint32_t>(LeastSites(study));
}

// Returns, for the operator, why a round failed.
std::string Shortfall(const Round& round, uint32_t minimum_sites) {
  std::string text = absl::StrCat(round.answered().size(), " of at least ",
                                  minimum_sites, " sites answered");
  for (const auto& [site, reason] : round.refused()) {
    absl::StrAppend(&text, "; ", site.name(), ": ", reason);
  }
  for (const SiteId& site : round.waiting()) {
    absl::StrAppend(&text, "; ", site.name(), ": no answer by the deadline");
  }
  return text;
}

}  // namespace

StudyMachine::StudyMachine(const v1::Study& study, const Progress& progress,
                           const SecureSetup& setup, absl::Time now)
    : study_(study),
      census_(progress.census),
      joining_(progress.joining),
      round_(Round::Options{}),
      phase_(v1::StudyStatus::PREPARING),
      lost_rounds_(progress.lost_rounds) {
  if (IsSecure(study_)) sums_ = std::make_unique<SumAttempts>(study_, setup);
  for (const auto& [site, why] : progress.withdrawn) {
    withdrawn_.emplace(site, why.empty() ? kOwnLog : why);
  }
  uint32_t number = progress.prepared ? progress.committed_rounds + 1 : 0;
  if (progress.trained) number = study.training().rounds() + 1;
  const std::set<SiteId>* answers = &progress.census;
  if (progress.prepared) {
    bool training = number <= study.training().rounds();
    phase_ = training ? v1::StudyStatus::TRAINING : v1::StudyStatus::EVALUATING;
    answers = training ? &progress.updates : &progress.evaluations;
    if (IsSecure(study_)) CloseCohort();
  }
  StartRound(number, now);
  if (progress.evaluated) phase_ = v1::StudyStatus::COMPLETED;
  if (IsSecure(study_)) return;
  for (const SiteId& site : *answers) {
    if (progress.prepared || IsPrepared(site)) round_.Accept(site);
  }
}

std::vector<SiteId> StudyMachine::WithCensus() const {
  std::vector<SiteId> sites;
  for (const SiteId& site : census_) {
    if (!excluded_.contains(site) && !joining_.contains(site)) {
      sites.push_back(site);
    }
  }
  return sites;
}

void StudyMachine::StartRound(uint32_t number, absl::Time now) {
  round_ = MakeRound(
      number,
      now + absl::Seconds(study_.aggregation().round_deadline_seconds()));
  if (sums_ != nullptr) sums_->StartRound(number, KindOfPhase());
}

Round StudyMachine::MakeRound(uint32_t number, absl::Time deadline) const {
  Round round({.number = number,
               .sites = number == 0 ? Cohort(study_) : WithCensus(),
               .minimum_sites = MinimumSites(study_),
               .deadline = deadline});
  for (const auto& [site, why] : withdrawn_) {
    if (number > 0) round.Refuse(site, absl::StrCat(kUnable, why));
  }
  for (const auto& [site, reason] : excluded_) round.Refuse(site, reason);
  return round;
}

bool StudyMachine::IsPrepared(const SiteId& site) const {
  return census_.contains(site) && !withdrawn_.contains(site) &&
         !excluded_.contains(site);
}

v1::Task::Kind StudyMachine::KindOfPhase() const {
  switch (phase_) {
    case v1::StudyStatus::PREPARING:
      return v1::Task::PREPARE;
    case v1::StudyStatus::TRAINING:
      return v1::Task::TRAIN;
    case v1::StudyStatus::EVALUATING:
      return v1::Task::EVALUATE;
    default:
      return v1::Task::KIND_UNSPECIFIED;
  }
}

v1::Task::Kind StudyMachine::TaskFor(const SiteId& site) const {
  if (excluded_.contains(site) || phase_ >= v1::StudyStatus::COMPLETED) {
    return v1::Task::KIND_UNSPECIFIED;
  }
  // A site that was away while the others prepared may still prepare.
  if (!IsPrepared(site)) return v1::Task::PREPARE;
  if (aggregating_) return v1::Task::KIND_UNSPECIFIED;
  const bool gathering = sums_ == nullptr || sums_->sum().IsGathering();
  const bool asked = (!gathering || round_.Waits(site)) &&
                     (sums_ == nullptr || sums_->sum().Waits(site)) &&
                     !HasRecordToStore();
  // Without a masked sum, the census of a prepared site is its answer.
  if (!asked || (sums_ == nullptr && phase_ == v1::StudyStatus::PREPARING)) {
    return v1::Task::KIND_UNSPECIFIED;
  }
  return KindOfPhase();
}

absl::Status StudyMachine::CheckOpen(const SiteId& site, uint32_t round) const {
  if (phase_ >= v1::StudyStatus::COMPLETED) {
    return absl::FailedPreconditionError("the study has ended");
  }
  if (round != round_.number() || aggregating_) {
    return absl::FailedPreconditionError(
        absl::StrCat("round ", round, " is not open; the study is in round ",
                     round_.number()));
  }
  if (IsPrepared(site)) return absl::OkStatus();
  return absl::FailedPreconditionError("a census must come first");
}

absl::Status StudyMachine::CheckMember(const SiteId& site) const {
  auto excluded = excluded_.find(site);
  if (excluded == excluded_.end()) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat(site.name(), " is out of this study: ", excluded->second));
}

absl::Status StudyMachine::Check(const SiteId& site, v1::Task::Kind kind,
                                 uint32_t round) const {
  HILUM_RETURN_IF_ERROR(CheckMember(site));
  if (kind == v1::Task::PREPARE && phase_ < v1::StudyStatus::COMPLETED) {
    return absl::OkStatus();
  }
  HILUM_RETURN_IF_ERROR(CheckOpen(site, round));
  if (kind != KindOfPhase()) {
    return absl::FailedPreconditionError(
        absl::StrCat("round ", round, " takes no such answer"));
  }
  if (joining_.contains(site)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "round ", round, " was open before this site's census came"));
  }
  return absl::OkStatus();
}

void StudyMachine::Accept(const SiteId& site) {
  if (sums_ != nullptr) return AcceptCensus(site);
  const bool returns = withdrawn_.erase(site) > 0;
  const bool is_new = census_.insert(site).second;
  if (is_new && phase_ == v1::StudyStatus::TRAINING) {
    joining_.insert(site);
  } else if (phase_ == v1::StudyStatus::PREPARING || !(returns || is_new)) {
    round_.Accept(site);
  } else if (!aggregating_ && returns && !joining_.contains(site)) {
    round_.Admit(site);
  }
}

void StudyMachine::Refuse(const SiteId& site, std::string reason) {
  round_.Refuse(site, std::move(reason));
  if (sums_ != nullptr && !sums_->sum().IsGathering()) sums_->sum().Leave(site);
}

void StudyMachine::Withdraw(const SiteId& site, std::string why) {
  if (why.empty()) why = kOwnLog;
  withdrawn_[site] = why;
  if (sums_ != nullptr && !sums_->sum().IsGathering()) sums_->sum().Leave(site);
  // A stored update stays; keys that are in are of no use.
  const bool preparing = phase_ == v1::StudyStatus::PREPARING;
  if (sums_ != nullptr || preparing || !round_.HasAnswer(site)) {
    round_.Refuse(site, absl::StrCat(kUnable, why));
  }
  // Removes the site's old answer, and waits for its next one.
  if (preparing && !excluded_.contains(site) &&
      (sums_ == nullptr || sums_->sum().IsGathering())) {
    round_.Admit(site);
  }
}

void StudyMachine::RefuseWithdrawn() {
  for (const auto& [site, why] : withdrawn_) {
    if (round_.Waits(site)) round_.Refuse(site, absl::StrCat(kUnable, why));
  }
}

void StudyMachine::Exclude(const SiteId& site, std::string reason) {
  Refuse(site, reason);
  excluded_.emplace(site, std::move(reason));
}

const std::string* StudyMachine::ExclusionOf(const SiteId& site) const {
  auto found = excluded_.find(site);
  return found == excluded_.end() ? nullptr : &found->second;
}

void StudyMachine::Stop(std::string reason) {
  phase_ = v1::StudyStatus::STOPPED;
  reason_ = std::move(reason);
}

StudyMachine::Command StudyMachine::Next(absl::Time now) {
  if (phase_ >= v1::StudyStatus::COMPLETED || aggregating_) {
    return Command::kNone;
  }
  if (sums_ != nullptr && !sums_->sum().IsGathering()) return AdvanceSum(now);
  if (phase_ == v1::StudyStatus::PREPARING && now >= round_.deadline()) {
    RefuseWithdrawn();
  }
  switch (round_.StateAt(now)) {
    case State::kOpen:
      return Command::kNone;
    case State::kFailed:
      // Nobody has revealed shares: the next round starts a new sum.
      if (sums_ != nullptr && phase_ == v1::StudyStatus::TRAINING) {
        return GiveUpRound(absl::StrCat(
            "before it began: ", Shortfall(round_, MinimumSites(study_))));
      }
      Stop(absl::StrCat("round ", round_.number(), ": ",
                        Shortfall(round_, MinimumSites(study_))));
      return Command::kEnded;
    case State::kClosed:
      return sums_ != nullptr ? BeginSum(now) : CloseRound(now);
  }
  return Command::kNone;
}

StudyMachine::Command StudyMachine::CloseRound(absl::Time now) {
  switch (phase_) {
    case v1::StudyStatus::PREPARING:
      phase_ = v1::StudyStatus::TRAINING;
      StartRound(1, now);
      return Command::kNone;
    case v1::StudyStatus::TRAINING:
      aggregating_ = true;
      return Command::kAggregate;
    default:
      phase_ = v1::StudyStatus::COMPLETED;
      return Command::kEnded;
  }
}

void StudyMachine::Committed(absl::Time now, bool trained) {
  uint32_t next = round_.number() + 1;
  aggregating_ = false;
  joining_.clear();
  lost_rounds_ = SumIsLost() ? lost_rounds_ + 1 : 0;
  loss_.clear();
  switch (phase_) {
    case v1::StudyStatus::PREPARING:
      census_ = answered();
      CloseCohort();
      phase_ = v1::StudyStatus::TRAINING;
      break;
    case v1::StudyStatus::TRAINING:
      if (trained || next > study_.training().rounds()) {
        phase_ = v1::StudyStatus::EVALUATING;
        next = study_.training().rounds() + 1;
      }
      break;
    default:
      phase_ = v1::StudyStatus::COMPLETED;
      return;
  }
  StartRound(next, now);
}

absl::Time StudyMachine::deadline() const {
  return sums_ == nullptr || sums_->sum().IsGathering()
             ? round_.deadline()
             : sums_->sum().deadline();
}

std::vector<SiteId> StudyMachine::waiting() const {
  return sums_ == nullptr || sums_->sum().IsGathering()
             ? round_.waiting()
             : sums_->sum().waiting();
}

const std::set<SiteId>& StudyMachine::answered() const {
  return sums_ == nullptr ? round_.answered() : sums_->sum().survivors();
}

absl::Status StudyMachine::CheckStep(const SiteId& site, uint32_t round) const {
  HILUM_RETURN_IF_ERROR(CheckMember(site));
  if (sums_ != nullptr) return CheckOpen(site, round);
  return absl::FailedPreconditionError(
      "the study is without secure aggregation");
}

absl::Status StudyMachine::CheckVector(const SiteId& site,
                                       uint32_t round) const {
  HILUM_RETURN_IF_ERROR(CheckStep(site, round));
  return sums_->CheckVector(site);
}

absl::Status StudyMachine::OnStep(const SiteId& site,
                                  const v1::SubmitSecureStepRequest& said) {
  absl::Status status = sums_->sum().On(site, said);
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

absl::Status StudyMachine::Resume(const v1::SecureSumRecord& record,
                                  absl::Time now) {
  if (sums_ == nullptr) {
    return absl::DataLossError("a record of a sum of a study without sums");
  }
  return sums_->Resume(record, round_.refused(), now);
}

void StudyMachine::AcceptCensus(const SiteId& site) {
  const bool returns = withdrawn_.erase(site) > 0;
  if (phase_ == v1::StudyStatus::PREPARING) census_.insert(site);
  // A sum accepts no site after its first step; the next sum does.
  if (!returns || !sums_->sum().IsGathering()) return;
  if (sums_->sum().Waits(site)) round_.Admit(site);
  // The site's keys are in, so it is not asked for them.
  if (sums_->sum().HasAnswer(site)) round_.Accept(site);
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
  sums_->Begin(round_.refused(), now);
  return AdvanceSum(now);
}

StudyMachine::Command StudyMachine::AdvanceSum(absl::Time now) {
  switch (sums_->Advance(now)) {
    case SecureSum::State::kOpen:
      return Command::kNone;
    case SecureSum::State::kDone:
      aggregating_ = true;
      return Command::kAggregate;
    case SecureSum::State::kLost:
      return TryAgain(now);
    case SecureSum::State::kLostRevealed:
      return GiveUpRound(sums_->sum().reason());
  }
  return Command::kNone;
}

StudyMachine::Command StudyMachine::TryAgain(absl::Time now) {
  sums_->OnLost();
  if (now >= round_.deadline() || !sums_->MayRepeat()) {
    Stop(absl::StrCat("round ", round_.number(), ": ", sums_->attempts(),
                      " attempts at its masked sum were lost; the last ",
                      sums_->sum().reason()));
    return Command::kEnded;
  }
  round_ = MakeRound(round_.number(), round_.deadline());
  sums_->Repeat();
  return Command::kNone;
}

StudyMachine::Command StudyMachine::GiveUpRound(std::string why) {
  loss_ = std::move(why);
  sums_->OnLost();
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
