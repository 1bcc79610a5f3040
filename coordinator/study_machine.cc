// SPDX-License-Identifier: Apache-2.0
#include "coordinator/study_machine.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace hilum {
namespace {

using State = Round::State;

std::vector<SiteId> Cohort(const v1::Study& study) {
  std::vector<SiteId> sites;
  for (const std::string& name : study.sites()) sites.emplace_back(name);
  return sites;
}

constexpr char kUnable[] = "cannot work on the study, its own log says why";

// Why a round failed, for the operator.
std::string Shortfall(const Round& round, uint32_t minimum_sites) {
  std::string text =
      absl::StrCat("round ", round.number(), ": ", round.answered().size(),
                   " of at least ", minimum_sites, " sites answered");
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
                           absl::Time now)
    : study_(study),
      census_(progress.census),
      withdrawn_(progress.withdrawn),
      joining_(progress.joining),
      round_(Round::Options{}),
      phase_(v1::StudyStatus::PREPARING) {
  uint32_t number = progress.prepared ? progress.committed_rounds + 1 : 0;
  round_ = MakeRound(number, now);
  const std::set<SiteId>* answers = &progress.census;
  if (progress.prepared) {
    bool training = number <= study.training().rounds();
    phase_ = training ? v1::StudyStatus::TRAINING : v1::StudyStatus::EVALUATING;
    answers = training ? &progress.updates : &progress.evaluations;
  }
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

Round StudyMachine::MakeRound(uint32_t number, absl::Time now) const {
  Round round(
      {.number = number,
       .sites = number == 0 ? Cohort(study_) : WithCensus(),
       .minimum_sites = study_.aggregation().minimum_sites(),
       .deadline =
           now + absl::Seconds(study_.aggregation().round_deadline_seconds())});
  for (const SiteId& site : withdrawn_) round.Refuse(site, kUnable);
  return round;
}

bool StudyMachine::IsPrepared(const SiteId& site) const {
  return census_.contains(site) && !withdrawn_.contains(site) &&
         !excluded_.contains(site);
}

v1::Task::Kind StudyMachine::TaskFor(const SiteId& site) const {
  if (excluded_.contains(site) || phase_ >= v1::StudyStatus::COMPLETED) {
    return v1::Task::KIND_UNSPECIFIED;
  }
  // A site that was away while the others prepared may still come.
  if (!IsPrepared(site)) return v1::Task::PREPARE;
  if (aggregating_ || !round_.Waits(site)) return v1::Task::KIND_UNSPECIFIED;
  switch (phase_) {
    case v1::StudyStatus::TRAINING:
      return v1::Task::TRAIN;
    case v1::StudyStatus::EVALUATING:
      return v1::Task::EVALUATE;
    default:
      return v1::Task::KIND_UNSPECIFIED;
  }
}

absl::Status StudyMachine::Check(const SiteId& site, v1::Task::Kind kind,
                                 uint32_t round) const {
  auto excluded = excluded_.find(site);
  if (excluded != excluded_.end()) {
    return absl::PermissionDeniedError(
        absl::StrCat(site.name(), " is out of this study: ", excluded->second));
  }
  if (phase_ >= v1::StudyStatus::COMPLETED) {
    return absl::FailedPreconditionError("the study has ended");
  }
  if (kind == v1::Task::PREPARE) return absl::OkStatus();
  Phase wanted = kind == v1::Task::TRAIN ? v1::StudyStatus::TRAINING
                                         : v1::StudyStatus::EVALUATING;
  if (wanted != phase_ || round != round_.number() || aggregating_) {
    return absl::FailedPreconditionError(
        absl::StrCat("round ", round, " is not open; the study is in round ",
                     round_.number()));
  }
  if (!IsPrepared(site)) {
    return absl::FailedPreconditionError("a census must come first");
  }
  if (joining_.contains(site)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "round ", round, " was open before this site's census came"));
  }
  return absl::OkStatus();
}

void StudyMachine::Accept(const SiteId& site) {
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
}

void StudyMachine::Withdraw(const SiteId& site) {
  withdrawn_.insert(site);
  // An update that is in stays in.
  if (phase_ == v1::StudyStatus::PREPARING || !round_.HasAnswer(site)) {
    round_.Refuse(site, kUnable);
  }
}

void StudyMachine::Exclude(const SiteId& site, std::string reason) {
  round_.Refuse(site, reason);
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
  switch (round_.StateAt(now)) {
    case State::kOpen:
      return Command::kNone;
    case State::kFailed:
      Stop(Shortfall(round_, study_.aggregation().minimum_sites()));
      return Command::kEnded;
    case State::kClosed:
      return CloseRound(now);
  }
  return Command::kNone;
}

StudyMachine::Command StudyMachine::CloseRound(absl::Time now) {
  switch (phase_) {
    case v1::StudyStatus::PREPARING:
      phase_ = v1::StudyStatus::TRAINING;
      round_ = MakeRound(1, now);
      return Command::kNone;
    case v1::StudyStatus::TRAINING:
      aggregating_ = true;
      return Command::kAggregate;
    default:
      phase_ = v1::StudyStatus::COMPLETED;
      return Command::kEnded;
  }
}

void StudyMachine::Committed(absl::Time now) {
  aggregating_ = false;
  joining_.clear();
  if (round_.number() == study_.training().rounds()) {
    phase_ = v1::StudyStatus::EVALUATING;
  }
  round_ = MakeRound(round_.number() + 1, now);
}

}  // namespace hilum
