// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/sum_steps.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/aggregation/statistics_vector.h"
#include "common/base/status_macros.h"
#include "common/config/cohort_rules.h"
#include "common/secagg/chain.h"
#include "site_agent/gateway/call_outcome.h"
#include "site_agent/gateway/risks.h"
#include "site_agent/gateway/trusted_peers.h"
#include "site_agent/gateway/update_file.h"

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

absl::Status SumSteps::CheckTask(const StudyAtSite& study,
                                 const v1::Task& task) {
  if (!study.is_secure()) {
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
  if (IsOfItsRound(task, study.study())) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat("secure aggregation: the coordinator asks for a sum of ",
                   v1::Task::Kind_Name(task.kind()), " in round ",
                   task.header().round(), ", which is not one of its rounds"));
}

absl::StatusOr<v1::BlobRef> SumSteps::MakeCensusVector(StudyAtSite& study) {
  HILUM_ASSIGN_OR_RETURN(std::optional<v1::SubmitCensusRequest> census,
                         study.GivenCensus());
  absl::StatusOr<std::vector<uint32_t>> words =
      census.has_value()
          ? EncodeCensus(study.study(), *census)
          : absl::FailedPreconditionError("this site has given no census");
  if (words.ok()) return WriteVector(study.spool().path(), *words);
  // ABORTED, since FAILED_PRECONDITION would mean that the round is over.
  return absl::AbortedError(words.status().message());
}

absl::StatusOr<v1::BlobRef> SumSteps::MakeEvaluationVector(
    StudyAtSite& study, const v1::Task& task) {
  HILUM_ASSIGN_OR_RETURN(v1::EvaluateResponse evaluated,
                         tasks_.EvaluateModel(study, task));
  if (tasks_.PublishesFigures()) {
    HILUM_RETURN_IF_ERROR(tasks_.SubmitEvaluation(study, task, evaluated));
  }
  const v1::CensusTotals& cohort = study.follower().cohort();
  absl::StatusOr<std::vector<uint32_t>> words = EncodeEvaluation(
      study.study(), HeldOut(study.study(), cohort), evaluated.tracks(),
      HistogramsShown(study.study(), cohort));
  if (words.ok()) return WriteVector(study.spool().path(), *words);
  return absl::AbortedError(words.status().message());
}

absl::StatusOr<v1::BlobRef> SumSteps::VectorOf(StudyAtSite& study,
                                               const v1::Task& task) {
  if (task.kind() == v1::Task::TRAIN) return tasks_.UpdateOf(study, task);
  const std::optional<v1::BlobRef> ready = study.spool().Find(task);
  if (ready.has_value()) return *ready;
  study.spool().Clear();
  HILUM_ASSIGN_OR_RETURN(v1::BlobRef vector,
                         task.kind() == v1::Task::PREPARE
                             ? MakeCensusVector(study)
                             : MakeEvaluationVector(study, task));
  HILUM_RETURN_IF_ERROR(study.spool().Put(task, vector));
  return vector;
}

absl::Status SumSteps::CheckCohort(const StudyAtSite& study) const {
  const v1::CensusTotals& cohort = study.follower().cohort();
  const PolicyLimits limits = LimitsOf(parts_.options.config.policy());
  absl::Status kept =
      CheckCells(study.study(), cohort, limits.minimum_cell_patients);
  const std::vector<bool> active = ActiveTracks(study.study(), cohort);
  if (kept.ok() && std::none_of(active.begin(), active.end(),
                                [](bool trained) { return trained; })) {
    kept = absl::FailedPreconditionError(
        "no track has cases at three sites or more, so that no sum hides one");
  }
  HILUM_ASSIGN_OR_RETURN(std::optional<v1::SubmitCensusRequest> own,
                         study.GivenCensus());
  if (kept.ok() && own.has_value()) {
    kept = CheckDominance(study.study(), own->arms(), cohort,
                          limits.largest_share);
  }
  if (!absl::IsFailedPrecondition(kept)) return kept;
  return absl::PermissionDeniedError(
      absl::StrCat("the cohort's census: ", kept.message()));
}

absl::Status SumSteps::TellOfCohort(const StudyAtSite& study) const {
  const v1::CensusTotals& cohort = study.follower().cohort();
  for (const ThinClass& thin : ThinClasses(study.study(), cohort)) {
    parts_.log(DescribeThinClass(study.study(), thin));
  }
  for (const std::string& arm :
       DescribeUnvalidatedArms(study.study(), cohort)) {
    parts_.log(absl::StrCat("validation: ", arm));
  }
  HILUM_ASSIGN_OR_RETURN(std::optional<v1::SubmitCensusRequest> own,
                         study.GivenCensus());
  if (!own.has_value()) return absl::OkStatus();
  const absl::Status small =
      CheckDominance(study.study(), own->arms(), cohort, kToldShare);
  if (!small.ok()) parts_.log(small.message());
  return absl::OkStatus();
}

absl::Status SumSteps::MakeReady(StudyAtSite& study, const v1::Task& task) {
  HILUM_RETURN_IF_ERROR(study.secure().CheckRound(task.header()));
  if (task.kind() == v1::Task::PREPARE) {
    HILUM_RETURN_IF_ERROR(study.follower().Start(task.header()));
  } else {
    const bool knew = study.follower().HasCohort();
    HILUM_RETURN_IF_ERROR(study.follower().Follow(
        task, study.spool().masked_path(), study.spool().MaskedSha256()));
    HILUM_RETURN_IF_ERROR(CheckCohort(study));
    if (!knew) HILUM_RETURN_IF_ERROR(TellOfCohort(study));
    if (task.global().sha256() !=
        hilum::ModelOf(study.follower().chain(), task.kind())) {
      return absl::PermissionDeniedError(absl::StrCat(
          "secure aggregation: the coordinator names another model for round ",
          task.header().round(), " than follows from the sums before it"));
    }
  }
  return VectorOf(study, task).status();
}

bool SumSteps::MayDiffer(const StudyAtSite& study) const {
  const absl::StatusOr<Acceptance> accepted =
      parts_.approvals.Accepted(study.hash());
  return accepted.ok() &&
         accepted->risks.contains(std::string(kSiteUpdatesInferable));
}

SecurePart::Asked SumSteps::AskedBy(StudyAtSite& study,
                                    const v1::Task& task) const {
  StudyFollower& follower = study.follower();
  const bool first = follower.chain().model_sha256() == follower.start_sha256();
  return {.context = follower.ContextOf(task),
          .model_sha256 = hilum::ModelOf(follower.chain(), task.kind()),
          .start_sha256 =
              first ? study.study().initial_weights_sha256() : std::string(),
          .may_differ = MayDiffer(study),
          .checksum = follower.checksum(),
          .vector_sha256 =
              task.secure().has_inbox()
                  ? study.spool().Find(task).value_or(v1::BlobRef()).sha256()
                  : std::string(),
          .check_roster =
              [&study, &follower, &task](const v1::Roster& roster) {
                absl::Status keys = CheckKeys(study.study(), roster);
                return keys.ok() ? follower.CheckRoster(task.header(), roster)
                                 : keys;
              },
          .check_survivors =
              [this, &study](const std::set<SiteId>& survivors) {
                HILUM_RETURN_IF_ERROR(CheckAreOfTheCensus(study, survivors));
                return CheckSurvivors(study, survivors);
              }};
}

// The census has no cases of a site that it left out, so the cohort was judged
// without these cases.
absl::Status SumSteps::CheckAreOfTheCensus(
    const StudyAtSite& study, const std::set<SiteId>& survivors) const {
  if (!study.follower().HasCohort()) return absl::OkStatus();
  const auto& counted = study.follower().cohort().sites();
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

absl::Status SumSteps::CheckSurvivors(const StudyAtSite& study,
                                      std::set<SiteId> survivors) const {
  survivors.erase(parts_.options.site);
  return CheckTrusted(parts_.options.config.policy(), study.study(), survivors);
}

absl::Status SumSteps::TakeStep(StudyAtSite& study, const v1::Task& task) {
  if (task.secure().has_advertise_keys()) {
    absl::Status ready = MakeReady(study, task);
    if (parts_.patience.MayPass(ready)) return ready;
    if (!ready.ok()) {
      // The keys of an earlier question must not be used for shares.
      study.secure().Leave(ready);
      return RefuseStep(task, ready);
    }
  }
  // A task of another study, with its own vector, may have come between.
  if (task.secure().has_inbox() && !study.spool().Find(task).has_value()) {
    return RefuseStep(task, absl::FailedPreconditionError(
                                "secure aggregation: this site no longer has "
                                "its vector for the sum"));
  }
  absl::StatusOr<v1::SubmitSecureStepRequest> answer =
      study.secure().Answer(task, AskedBy(study, task), study.spool().path(),
                            study.spool().masked_path());
  if (parts_.patience.WaitsForRoom(answer.status())) return answer.status();
  if (!answer.ok()) return RefuseStep(task, answer.status());
  absl::Status answered;
  if (answer->has_masked()) {
    study.spool().NoteMasked(answer->masked());
    parts_.facts.RegisterUpload(study.hash(), answer->masked());
    answered = parts_.transfer.Upload(task.header(), answer->masked(),
                                      study.spool().masked_path());
  }
  v1::SubmitResponse response;
  if (answered.ok()) {
    answered = parts_.calls.Call("SubmitSecureStep", *answer, &response);
  }
  if (!answered.ok() && !IsRoundOver(answered)) return answered;
  AfterStep(study, task, answered);
  return absl::OkStatus();
}

void SumSteps::AfterStep(const StudyAtSite& study, const v1::Task& task,
                         const absl::Status& answered) {
  const uint32_t round = task.header().round();
  if (!answered.ok()) {
    parts_.log(absl::StrCat(
        "round ", round,
        ": the sum went on without this answer: ", answered.message()));
    // An answer that keeps coming back must not become a busy loop.
    parts_.calls.Pause(CoordinatorCalls::kFirstPause);
    return;
  }
  if (!task.secure().has_confirmations()) {
    parts_.log(DescribeStep(task));
    return;
  }
  if (task.kind() == v1::Task::TRAIN) {
    parts_.log(absl::StrCat("round ", round, " of ",
                            study.study().training().rounds(),
                            ": update is in, as part of a masked sum"));
  } else {
    parts_.log(
        task.kind() == v1::Task::PREPARE
            ? "census is in, as part of a masked sum"
            : "evaluation is in, as part of a masked sum; predictions stay "
              "here");
  }
}

absl::Status SumSteps::RefuseStep(const v1::Task& task,
                                  const absl::Status& why) {
  HILUM_RETURN_IF_ERROR(parts_.refusals.Record(task, why));
  v1::SubmitSecureStepRequest request;
  *request.mutable_header() = task.header();
  request.set_sum_id(task.secure().sum_id());
  request.set_leave(true);
  v1::SubmitResponse response;
  absl::Status told = parts_.calls.Call("SubmitSecureStep", request, &response);
  if (absl::IsPermissionDenied(why)) return why;
  if (!told.ok() && !IsRoundOver(told)) return told;
  parts_.calls.Pause(CoordinatorCalls::kFirstPause);
  return absl::OkStatus();
}

}  // namespace hilum
