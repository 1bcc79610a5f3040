// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/site_tasks.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/config/census.h"
#include "common/config/cohort_rules.h"
#include "common/config/evaluation.h"
#include "common/config/starting_weights.h"
#include "common/config/step_plan.h"
#include "common/model/split_file.h"
#include "site_agent/gateway/consent.h"
#include "site_agent/gateway/results_folder.h"
#include "site_agent/gateway/track_shares.h"
#include "site_agent/gateway/unable_reason.h"
#include "site_agent/gateway/update_file.h"

namespace hilum {
namespace {

// Copies what a census says of cases that the product's networks learned from.
template <typename From>
void CopySeen(const From& from, auto& to) {
  to.set_lungs_network_cases(from.lungs_network_cases());
  to.set_orientation_network_cases(from.orientation_network_cases());
  to.set_cases_not_compared(from.cases_not_compared());
}

}  // namespace

absl::Status SiteTasks::FetchStart(StudyAtSite& study, const v1::Task& task) {
  absl::Status started = study.follower().Start(task.header());
  if (absl::IsPermissionDenied(started)) {
    HILUM_RETURN_IF_ERROR(parts_.refusals.Record(task, started));
  }
  return started;
}

absl::Status SiteTasks::CheckOwnCases(
    const StudyAtSite& study, const v1::PrepareResponse& prepared) const {
  std::vector<uint64_t> cases;
  for (const v1::ArmCensus& arm : prepared.arms()) {
    uint64_t sum = 0;
    for (uint64_t count : arm.fold_class_counts()) sum += count;
    cases.push_back(sum);
  }
  absl::Status enough = parts_.session.CheckCases(cases);
  if (enough.ok()) {
    enough = CheckOwnCells(
        study.study(), prepared.arms(),
        LimitsOf(parts_.options.config.policy()).minimum_own_cell_patients);
  }
  HILUM_RETURN_IF_ERROR(WithReason(enough, v1::UNABLE_REASON_CASES));
  return WithReason(CheckPatientsConsent(parts_.approvals, study.hash(),
                                         study.study(), prepared.arms()),
                    v1::UNABLE_REASON_POLICY);
}

absl::StatusOr<v1::PrepareResponse> SiteTasks::Prepare(StudyAtSite& study) {
  parts_.session.OnPreparing();
  v1::PrepareRequest request;
  request.set_study(SerializeStudy(study.study()));
  request.set_manifest(parts_.options.config.manifest());
  request.set_site_column(parts_.options.config.site_column());
  request.set_patient_key(parts_.options.patient_key);
  request.set_site(parts_.options.site.name());
  request.set_work_dir(parts_.options.config.state_dir());
  HILUM_ASSIGN_OR_RETURN(*request.mutable_notes_dir(),
                         study.MakeResultsFolder());
  const v1::TrainerConfig& trainer = parts_.options.config.trainer();
  request.set_threads(trainer.threads());
  *request.mutable_devices() = trainer.devices();
  request.set_nondeterministic(trainer.nondeterministic());
  request.set_encrypt_features(
      parts_.options.config.policy().encrypt_feature_cache());
  request.set_minimum_steps(
      LimitsOf(parts_.options.config.policy()).minimum_steps);
  parts_.log(absl::StrCat(
      "study ", study.study().name(),
      ": loading the cases; which of them are not used, and later "
      "the predictions, are in ",
      request.notes_dir(),
      "; starting weights: ", DescribeStartingWeights(study.study())));
  absl::StatusOr<v1::PrepareResponse> prepared =
      offers_.Listening<v1::PrepareResponse>(
          [&] { return parts_.trainer.Prepare(request); });
  if (!prepared.ok()) {
    return WithReason(prepared.status(), ReasonOfTrainer(prepared.status()));
  }
  for (const std::string& warning : prepared->warnings()) {
    parts_.log(absl::StrCat("warning: ", warning));
  }
  HILUM_RETURN_IF_ERROR(parts_.refusals.NoteIfNotTaken(
      study.hash(), CheckOwnCases(study, *prepared)));
  parts_.session.OnPrepared(study.hash());
  return prepared;
}

absl::StatusOr<std::optional<v1::PrepareResponse>> SiteTasks::KnownCases(
    const StudyAtSite& study) const {
  if (!parts_.session.IsPrepared(study.hash())) return std::nullopt;
  HILUM_ASSIGN_OR_RETURN(std::optional<v1::SubmitCensusRequest> given,
                         study.GivenCensus());
  if (!given.has_value()) return std::nullopt;
  v1::PrepareResponse known;
  known.set_manifest_sha256(given->manifest_sha256());
  *known.mutable_arms() = given->arms();
  *known.mutable_rejected_masks() = given->rejected_masks();
  known.set_rows(given->rows());
  known.set_rejected_rows(given->rejected_rows());
  CopySeen(*given, known);
  return known;
}

absl::Status SiteTasks::SubmitCensus(StudyAtSite& study, const v1::Task& task,
                                     const v1::PrepareResponse& prepared) {
  HILUM_RETURN_IF_ERROR(FetchStart(study, task));
  HILUM_ASSIGN_OR_RETURN(std::optional<v1::SubmitCensusRequest> given,
                         study.GivenCensus());
  v1::SubmitCensusRequest request;
  *request.mutable_header() = task.header();
  request.set_manifest_sha256(prepared.manifest_sha256());
  *request.mutable_arms() = given.has_value() ? given->arms() : prepared.arms();
  *request.mutable_rejected_masks() =
      given.has_value() ? given->rejected_masks() : prepared.rejected_masks();
  request.set_rows(prepared.rows());
  request.set_rejected_rows(prepared.rejected_rows());
  if (given.has_value()) {
    CopySeen(*given, request);
  } else {
    CopySeen(prepared, request);
  }
  if (!given.has_value()) {
    HILUM_RETURN_IF_ERROR(study.KeepCensus(request));
  }
  if (study.is_secure() && !PublishesFigures()) {
    request.clear_arms();
    request.clear_rows();
    request.clear_rejected_rows();
    request.clear_rejected_masks();
    CopySeen(v1::PrepareResponse(), request);
  }
  v1::SubmitResponse response;
  return parts_.calls.Call("SubmitCensus", request, &response);
}

bool SiteTasks::PublishesFigures() const {
  return parts_.options.config.policy().publish_site_figures();
}

absl::StatusOr<v1::CensusTotals> SiteTasks::CohortOf(StudyAtSite& study,
                                                     const v1::Task& task) {
  if (study.is_secure()) return study.follower().cohort();
  const absl::Status shape = CheckTotalsShape(study.study(), task.census());
  if (shape.ok()) return task.census();
  HILUM_RETURN_IF_ERROR(parts_.refusals.Record(task, shape));
  return shape;
}

const TrackChoices& SiteTasks::ChoicesOf(StudyAtSite& study,
                                         const v1::Task& task) {
  return study.is_secure() ? study.follower().chain().choices()
                           : task.choices();
}

absl::StatusOr<std::string> SiteTasks::FrozenOf(StudyAtSite& study,
                                                const v1::Task& task) {
  HILUM_RETURN_IF_ERROR(FetchStart(study, task));
  return study.follower().FrozenPath(task.header());
}

absl::StatusOr<std::string> SiteTasks::ModelPath(StudyAtSite& study,
                                                 const v1::Task& task) {
  if (study.is_secure()) {
    studies_.KeepBlobs();
    return study.follower().ModelPath(task.header(), task.kind());
  }
  // No sum gives the first model: it is the approved one.
  HILUM_RETURN_IF_ERROR(FetchStart(study, task));
  if (task.kind() == v1::Task::TRAIN && task.header().round() == 1 &&
      task.global().sha256() != study.follower().start_sha256()) {
    return parts_.refusals.RefuseModel(
        task, "not the approved study's starting weights");
  }
  HILUM_ASSIGN_OR_RETURN(std::string path,
                         parts_.transfer.Fetch(task.header(), task.global()));
  studies_.KeepBlobs(task.global());
  absl::Status finite = CheckFinite(path);
  if (!absl::IsInvalidArgument(finite)) {
    HILUM_RETURN_IF_ERROR(finite);
    return path;
  }
  return parts_.refusals.RefuseModel(task, finite.message());
}

absl::StatusOr<v1::TrainRequest> SiteTasks::MakeTrainRequest(
    StudyAtSite& study, const v1::Task& task, const std::string& path) {
  v1::TrainRequest train;
  train.set_round(task.header().round());
  HILUM_ASSIGN_OR_RETURN(v1::CensusTotals cohort, CohortOf(study, task));
  HILUM_ASSIGN_OR_RETURN(*train.mutable_frozen_path(), FrozenOf(study, task));
  HILUM_ASSIGN_OR_RETURN(*train.mutable_global_path(), ModelPath(study, task));
  if (study.study().training().class_weights() ==
      v1::Training::CLASS_WEIGHTS_BALANCED) {
    for (double weight : ClassWeights(study.study(), cohort)) {
      train.add_class_weights(weight);
    }
  }
  // SumSteps::TellOfCohort says it in studies with secure aggregation.
  if (train.round() == 1 && !study.is_secure()) {
    for (const std::string& arm :
         DescribeUnvalidatedArms(study.study(), cohort)) {
      parts_.log(absl::StrCat("validation: ", arm));
    }
  }
  if (HasLocalSteps(study.study())) {
    for (uint64_t examples : TrackExamples(study.study(), cohort)) {
      train.add_total_examples(examples);
    }
  }
  train.set_delta_path(path);
  *train.mutable_choices() = ChoicesOf(study, task);
  return train;
}

absl::StatusOr<v1::BlobRef> SiteTasks::EncodeUpdate(
    StudyAtSite& study, const v1::Task& task, const v1::TrainResponse& trained,
    const std::string& path) {
  UpdateOptions options{
      .layout = study.layout(),
      .clipping_norm = study.study().aggregation().clipping_norm(),
      .seed = study.study().seed(),
      .stream = absl::StrCat("rounding/", task.header().round(), "/",
                             parts_.options.site.name())};
  HILUM_ASSIGN_OR_RETURN(std::optional<v1::SubmitCensusRequest> own,
                         study.GivenCensus());
  HILUM_ASSIGN_OR_RETURN(v1::CensusTotals cohort, CohortOf(study, task));
  HILUM_ASSIGN_OR_RETURN(
      options.shares,
      TrackShares(study.study(), cohort, ChoicesOf(study, task), own, trained));
  return EncodeUpdateFile(path, options);
}

absl::StatusOr<v1::BlobRef> SiteTasks::MakeUpdate(StudyAtSite& study,
                                                  const v1::Task& task,
                                                  const std::string& path) {
  HILUM_ASSIGN_OR_RETURN(v1::TrainRequest train,
                         MakeTrainRequest(study, task, path));
  absl::StatusOr<v1::TrainResponse> trained =
      offers_.Listening<v1::TrainResponse>(
          [&] { return parts_.trainer.Train(train); });
  if (trained.ok()) {
    for (const std::string& warning : trained->warnings()) {
      parts_.log(absl::StrCat("warning: ", warning));
    }
  }
  absl::StatusOr<v1::BlobRef> update =
      trained.ok() ? EncodeUpdate(study, task, *trained, path)
                   : trained.status();
  if (update.ok() || parts_.patience.MayPass(update.status())) return update;
  const std::string nothing = absl::StrCat("round ", task.header().round(),
                                           ": this site gives nothing to it");
  parts_.log(
      absl::StrCat("warning: ", nothing, ": ", update.status().message()));
  // A sum with zeros would be over fewer sites than it says. The error goes
  // into the ledger, so it has no words of the trainer.
  if (study.is_secure()) {
    return absl::AbortedError(absl::StrCat(nothing, "; the log has why"));
  }
  return WriteZeroVector(path, study.layout().size());
}

absl::StatusOr<v1::BlobRef> SiteTasks::UpdateOf(StudyAtSite& study,
                                                const v1::Task& task) {
  const std::optional<v1::BlobRef> ready = study.spool().Find(task);
  if (ready.has_value()) return *ready;
  study.spool().Clear();
  HILUM_ASSIGN_OR_RETURN(v1::BlobRef update,
                         MakeUpdate(study, task, study.spool().path()));
  HILUM_RETURN_IF_ERROR(study.spool().Put(task, update));
  return update;
}

absl::Status SiteTasks::Train(StudyAtSite& study, const v1::Task& task) {
  v1::SubmitUpdateRequest request;
  *request.mutable_header() = task.header();
  HILUM_ASSIGN_OR_RETURN(*request.mutable_update(), UpdateOf(study, task));
  parts_.facts.RegisterUpload(study.hash(), request.update());
  HILUM_RETURN_IF_ERROR(parts_.transfer.Upload(task.header(), request.update(),
                                               study.spool().path()));
  v1::SubmitResponse response;
  HILUM_RETURN_IF_ERROR(parts_.calls.Call("SubmitUpdate", request, &response));
  study.spool().Clear();
  parts_.log(absl::StrCat("round ", task.header().round(), " of ",
                          study.study().training().rounds(), ": update is in"));
  return absl::OkStatus();
}

absl::StatusOr<v1::EvaluateResponse> SiteTasks::EvaluateModel(
    StudyAtSite& study, const v1::Task& task) {
  v1::EvaluateRequest evaluate;
  HILUM_ASSIGN_OR_RETURN(*evaluate.mutable_frozen_path(),
                         FrozenOf(study, task));
  HILUM_ASSIGN_OR_RETURN(*evaluate.mutable_global_path(),
                         ModelPath(study, task));
  HILUM_ASSIGN_OR_RETURN(const std::string folder, study.MakeResultsFolder());
  evaluate.set_predictions_path(PredictionsPath(folder, parts_.options.site));
  *evaluate.mutable_choices() = ChoicesOf(study, task);
  absl::StatusOr<v1::EvaluateResponse> evaluated =
      offers_.Listening<v1::EvaluateResponse>(
          [&] { return parts_.trainer.Evaluate(evaluate); });
  if (evaluated.ok() || parts_.patience.MayPass(evaluated.status()))
    return evaluated;
  parts_.log(absl::StrCat("this site gives nothing to the evaluation: ",
                          evaluated.status().message()));
  // ABORTED, since a code of a call would be read as an error of that call. The
  // error goes into the ledger, so it has no words of the trainer.
  return absl::AbortedError(
      "this site gives nothing to the evaluation; the log has why");
}

absl::Status SiteTasks::SubmitEvaluation(
    StudyAtSite& study, const v1::Task& task,
    const absl::StatusOr<v1::EvaluateResponse>& evaluated) {
  v1::SubmitEvaluationRequest request;
  *request.mutable_header() = task.header();
  if (evaluated.ok()) {
    *request.mutable_tracks() = evaluated->tracks();
    HILUM_ASSIGN_OR_RETURN(v1::CensusTotals cohort, CohortOf(study, task));
    WithholdHistograms(HistogramsShown(study.study(), cohort),
                       *request.mutable_tracks());
  } else {
    request.set_unable(true);
  }
  v1::SubmitResponse response;
  return parts_.calls.Call("SubmitEvaluation", request, &response);
}

absl::Status SiteTasks::Evaluate(StudyAtSite& study, const v1::Task& task) {
  absl::StatusOr<v1::EvaluateResponse> evaluated = EvaluateModel(study, task);
  if (!evaluated.ok() && !absl::IsAborted(evaluated.status())) {
    return evaluated.status();
  }
  HILUM_RETURN_IF_ERROR(SubmitEvaluation(study, task, evaluated));
  if (evaluated.ok()) parts_.log("evaluation is in; predictions stay here");
  return absl::OkStatus();
}

}  // namespace hilum
