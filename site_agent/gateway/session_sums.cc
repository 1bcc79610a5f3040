// SPDX-License-Identifier: Apache-2.0
// The steps of a secure sum.
#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/aggregation/statistics_vector.h"
#include "common/base/status_macros.h"
#include "common/config/cohort_rules.h"
#include "common/config/pinned_keys.h"
#include "common/crypto/sha256.h"
#include "common/secagg/chain.h"
#include "site_agent/gateway/risks.h"
#include "site_agent/gateway/session_runner.h"
#include "site_agent/gateway/trusted_peers.h"

namespace hilum {
namespace {

// Each round of a study has one sum of one kind of task: a census or an
// evaluation asked for in a second round would be summed twice.
bool IsOfItsRound(const v1::Task& task, const v1::Study& study) {
  const uint32_t round = task.header().round();
  const uint32_t rounds = study.training().rounds();
  switch (task.kind()) {
    case v1::Task::PREPARE:
      return round == 0;
    case v1::Task::TRAIN:
      return round >= 1 && round <= rounds;
    default:
      return round == rounds + 1;
  }
}

// Says which step of a sum this site has answered, so that an operator sees
// where a study stands and that it waits for others.
std::string DescribeStep(const v1::Task& task) {
  const char* given = "a step";
  switch (task.secure().shown_case()) {
    case v1::SecureStep::kAdvertiseKeys:
      given = "keys";
      break;
    case v1::SecureStep::kRoster:
      given = "shares";
      break;
    case v1::SecureStep::kInbox:
      given = "masked vector";
      break;
    case v1::SecureStep::kSurvivors:
      given = "confirmation of the sites in the sum";
      break;
    default:
      break;
  }
  return absl::StrCat("round ", task.header().round(), ": ", given,
                      " given; the sum waits for the other sites");
}

}  // namespace

absl::Status SessionRunner::CheckTask(const v1::Task& task) const {
  if (!IsSecure(study_.study)) {
    if (!task.has_secure()) return absl::OkStatus();
    return absl::FailedPreconditionError(
        "the coordinator asks for a masked sum, of a study without secure "
        "aggregation");
  }
  if (!task.has_secure()) {
    if (task.kind() == v1::Task::PREPARE) return absl::OkStatus();
    return absl::PermissionDeniedError(
        "the study was approved with secure aggregation, and the coordinator "
        "asks for this site's own figures");
  }
  if (IsOfItsRound(task, study_.study)) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat("secure aggregation: the coordinator asks for a sum of ",
                   v1::Task::Kind_Name(task.kind()), " in round ",
                   task.header().round(), ", which is not one of its rounds"));
}

absl::StatusOr<v1::BlobRef> SessionRunner::MakeCensusVector() {
  HILUM_ASSIGN_OR_RETURN(std::optional<v1::SubmitCensusRequest> census,
                         GivenCensus());
  absl::StatusOr<std::vector<uint32_t>> words =
      census.has_value()
          ? EncodeCensus(study_.study, *census)
          : absl::FailedPreconditionError("this site has given no census");
  if (words.ok()) return WriteVector(spool().path(), *words);
  // ABORTED, since FAILED_PRECONDITION would mean that the round is over.
  return absl::AbortedError(words.status().message());
}

absl::StatusOr<v1::BlobRef> SessionRunner::MakeEvaluationVector(
    const v1::Task& task) {
  HILUM_ASSIGN_OR_RETURN(v1::EvaluateResponse evaluated, EvaluateModel(task));
  if (PublishesFigures()) {
    HILUM_RETURN_IF_ERROR(SubmitEvaluation(task, evaluated));
  }
  const v1::CensusTotals& cohort = follower().cohort();
  absl::StatusOr<std::vector<uint32_t>> words = EncodeEvaluation(
      study_.study, HeldOut(study_.study, cohort), evaluated.tracks(),
      HistogramsShown(study_.study, cohort));
  if (words.ok()) return WriteVector(spool().path(), *words);
  return absl::AbortedError(words.status().message());
}

absl::StatusOr<v1::BlobRef> SessionRunner::VectorOf(const v1::Task& task) {
  if (task.kind() == v1::Task::TRAIN) return UpdateOf(task);
  const std::optional<v1::BlobRef> ready = spool().Find(task);
  if (ready.has_value()) return *ready;
  spool().Clear();
  HILUM_ASSIGN_OR_RETURN(v1::BlobRef vector, task.kind() == v1::Task::PREPARE
                                                 ? MakeCensusVector()
                                                 : MakeEvaluationVector(task));
  HILUM_RETURN_IF_ERROR(spool().Put(task, vector));
  return vector;
}

absl::Status SessionRunner::CheckCohort() {
  const v1::CensusTotals& cohort = follower().cohort();
  const PolicyLimits limits = LimitsOf(options_.config.policy());
  absl::Status kept =
      CheckCells(study_.study, cohort, limits.minimum_cell_patients);
  const std::vector<bool> active = ActiveTracks(study_.study, cohort);
  if (kept.ok() && std::none_of(active.begin(), active.end(),
                                [](bool trained) { return trained; })) {
    kept = absl::FailedPreconditionError(
        "no track has cases at three sites or more, so that no sum hides one");
  }
  HILUM_ASSIGN_OR_RETURN(std::optional<v1::SubmitCensusRequest> own,
                         GivenCensus());
  if (kept.ok() && own.has_value()) {
    kept =
        CheckDominance(study_.study, own->arms(), cohort, limits.largest_share);
  }
  if (!absl::IsFailedPrecondition(kept)) return kept;
  return absl::PermissionDeniedError(
      absl::StrCat("the cohort's census: ", kept.message()));
}

absl::Status SessionRunner::TellOfCohort() {
  const v1::CensusTotals& cohort = follower().cohort();
  for (const ThinClass& thin : ThinClasses(study_.study, cohort)) {
    Log(DescribeThinClass(study_.study, thin));
  }
  HILUM_ASSIGN_OR_RETURN(std::optional<v1::SubmitCensusRequest> own,
                         GivenCensus());
  if (!own.has_value()) return absl::OkStatus();
  const absl::Status small =
      CheckDominance(study_.study, own->arms(), cohort, kToldShare);
  if (!small.ok()) Log(small.message());
  return absl::OkStatus();
}

absl::Status SessionRunner::MakeReady(const v1::Task& task) {
  HILUM_RETURN_IF_ERROR(PartOf(study_.hash).secure.CheckRound(task.header()));
  if (task.kind() == v1::Task::PREPARE) {
    HILUM_RETURN_IF_ERROR(follower().Start(task.header()));
  } else {
    const bool knew = follower().HasCohort();
    HILUM_RETURN_IF_ERROR(
        follower().Follow(task, spool().masked_path(), spool().MaskedSha256()));
    HILUM_RETURN_IF_ERROR(CheckCohort());
    if (!knew) HILUM_RETURN_IF_ERROR(TellOfCohort());
    if (task.global().sha256() !=
        hilum::ModelOf(follower().chain(), task.kind())) {
      return absl::PermissionDeniedError(absl::StrCat(
          "secure aggregation: the coordinator names another model for round ",
          task.header().round(), " than follows from the sums before it"));
    }
  }
  return VectorOf(task).status();
}

bool SessionRunner::MayDiffer() const {
  const absl::StatusOr<Acceptance> accepted = approvals_.Accepted(study_.hash);
  return accepted.ok() &&
         accepted->risks.contains(std::string(kSiteUpdatesInferable));
}

SecurePart::Asked SessionRunner::AskedBy(const v1::Task& task) {
  StudyFollower& follower = this->follower();
  const bool first = follower.chain().model_sha256() == follower.start_sha256();
  return {
      .context = follower.ContextOf(task),
      .model_sha256 = hilum::ModelOf(follower.chain(), task.kind()),
      .start_sha256 =
          first ? study_.study.initial_weights_sha256() : std::string(),
      .may_differ = MayDiffer(),
      .checksum = follower.checksum(),
      .vector_sha256 = task.secure().has_inbox()
                           ? spool().Find(task).value_or(v1::BlobRef()).sha256()
                           : std::string(),
      .check_roster =
          [this, &follower, &task](const v1::Roster& roster) {
            absl::Status keys = CheckKeys(roster);
            return keys.ok() ? follower.CheckRoster(task.header(), roster)
                             : keys;
          },
      .check_survivors =
          [this](const std::set<SiteId>& survivors) {
            HILUM_RETURN_IF_ERROR(CheckAreOfTheCensus(survivors));
            return CheckSurvivors(survivors);
          }};
}

absl::Status SessionRunner::CheckKeys(const v1::Roster& roster) const {
  for (const v1::Roster::Entry& entry : roster.entries()) {
    HILUM_RETURN_IF_ERROR(CheckPinnedKey(study_.study, SiteId(entry.site()),
                                         entry.keys().certificate()));
  }
  return absl::OkStatus();
}

// The census has no cases of a site that it left out, so the cohort was judged
// without these cases.
absl::Status SessionRunner::CheckAreOfTheCensus(
    const std::set<SiteId>& survivors) {
  if (!follower().HasCohort()) return absl::OkStatus();
  const auto& counted = follower().cohort().sites();
  for (const SiteId& site : survivors) {
    if (std::find(counted.begin(), counted.end(), site.name()) !=
        counted.end()) {
      continue;
    }
    return absl::PermissionDeniedError(
        absl::StrCat("secure aggregation: a sum with ", site.name(),
                     " is asked for, which the census left out"));
  }
  return absl::OkStatus();
}

absl::Status SessionRunner::CheckSurvivors(std::set<SiteId> survivors) const {
  survivors.erase(options_.site);
  return CheckTrusted(options_.config.policy(), study_.study, survivors);
}

absl::Status SessionRunner::CheckPeers(const v1::SumOpening& opening) const {
  HILUM_RETURN_IF_ERROR(CheckKeys(opening.roster()));
  std::set<SiteId> survivors;
  for (const v1::SumOpening::Survivor& survivor : opening.survivors()) {
    survivors.emplace(survivor.site());
  }
  return CheckSurvivors(std::move(survivors));
}

absl::Status SessionRunner::TakeStep(const v1::Task& task) {
  if (task.secure().has_advertise_keys()) {
    absl::Status ready = MakeReady(task);
    if (MayPass(ready)) return ready;
    if (!ready.ok()) {
      // The keys of an earlier question must not be used for shares.
      PartOf(study_.hash).secure.Leave(ready);
      return RefuseStep(task, ready);
    }
  }
  // A task of another study, with its own vector, may have come between.
  if (task.secure().has_inbox() && !spool().Find(task).has_value()) {
    return RefuseStep(task, absl::FailedPreconditionError(
                                "secure aggregation: this site no longer has "
                                "its vector for the sum"));
  }
  absl::StatusOr<v1::SubmitSecureStepRequest> answer =
      PartOf(study_.hash)
          .secure.Answer(task, AskedBy(task), spool().path(),
                         spool().masked_path());
  if (WaitsForRoom(answer.status())) return answer.status();
  if (!answer.ok()) return RefuseStep(task, answer.status());
  absl::Status answered;
  if (answer->has_masked()) {
    spool().NoteMasked(answer->masked());
    facts_.RegisterUpload(study_.hash, answer->masked());
    answered = transfer_.Upload(task.header(), answer->masked(),
                                spool().masked_path());
  }
  v1::SubmitResponse response;
  if (answered.ok()) {
    answered = Call("SubmitSecureStep", *answer, &response, kCallTimeout);
  }
  if (!answered.ok() && !IsRoundOver(answered)) return answered;
  AfterStep(task, answered);
  return absl::OkStatus();
}

void SessionRunner::AfterStep(const v1::Task& task,
                              const absl::Status& answered) {
  const uint32_t round = task.header().round();
  if (!answered.ok()) {
    Log(absl::StrCat("round ", round, ": the sum went on without this answer: ",
                     answered.message()));
    // An answer that keeps coming back must not become a busy loop.
    Pause(kFirstPause);
    return;
  }
  if (!task.secure().has_confirmations()) {
    Log(DescribeStep(task));
    return;
  }
  if (task.kind() == v1::Task::TRAIN) {
    Log(absl::StrCat("round ", round, " of ", study_.study.training().rounds(),
                     ": update is in, as part of a masked sum"));
  } else {
    Log(task.kind() == v1::Task::PREPARE
            ? "census is in, as part of a masked sum"
            : "evaluation is in, as part of a masked sum; predictions stay "
              "here");
  }
}

absl::Status SessionRunner::RecordRefusal(const v1::Task& task,
                                          const absl::Status& why) {
  v1::LedgerEntry entry;
  entry.set_kind(v1::LedgerEntry::SUM_REFUSED);
  if (task.has_secure()) entry.set_method("SubmitSecureStep");
  entry.set_study_hash(ToHex(study_.hash));
  entry.set_round(task.header().round());
  entry.set_detail(std::string(why.message()));
  HILUM_RETURN_IF_ERROR(ledger_->Append(entry));
  Log(absl::StrCat("round ", task.header().round(), ": ", why.message()));
  if (!absl::IsPermissionDenied(why)) return absl::OkStatus();
  return approvals_.Refuse(
      study_.hash,
      "hilum-site itself, as what the coordinator asked for is "
      "against the study; SUM_REFUSED in the ledger says what");
}

absl::Status SessionRunner::RefuseStep(const v1::Task& task,
                                       const absl::Status& why) {
  HILUM_RETURN_IF_ERROR(RecordRefusal(task, why));
  v1::SubmitSecureStepRequest request;
  *request.mutable_header() = task.header();
  request.set_sum_id(task.secure().sum_id());
  request.set_leave(true);
  v1::SubmitResponse response;
  absl::Status told =
      Call("SubmitSecureStep", request, &response, kCallTimeout);
  if (absl::IsPermissionDenied(why)) return why;
  if (!told.ok() && !IsRoundOver(told)) return told;
  Pause(kFirstPause);
  return absl::OkStatus();
}

}  // namespace hilum
