// SPDX-License-Identifier: Apache-2.0
// The kinds of task.
#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/config/census.h"
#include "common/config/cohort_rules.h"
#include "common/config/evaluation.h"
#include "common/config/step_plan.h"
#include "common/crypto/sha256.h"
#include "common/model/split_file.h"
#include "site_agent/gateway/consent.h"
#include "site_agent/gateway/offer_listener.h"
#include "site_agent/gateway/results_folder.h"
#include "site_agent/gateway/session_runner.h"
#include "site_agent/gateway/unable_reason.h"

namespace hilum {
namespace {

uint64_t Sum(const std::vector<uint64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

double Scaled(double sum, uint64_t part, uint64_t whole) {
  if (part == whole) return sum;
  return sum * static_cast<double>(part) / static_cast<double>(whole);
}

// Returns a track's weight and validation. Together they are at most the number
// of cases that the cohort knows of: otherwise the weights of all sites could
// exceed 1.
TrackShare ShareOf(const v1::TrackUpdate& trained, uint64_t most_examples,
                   bool validates) {
  const uint64_t tried = validates ? trained.validation_examples() : 0;
  const double all =
      static_cast<double>(trained.num_examples()) + static_cast<double>(tried);
  const double most = static_cast<double>(most_examples);
  TrackShare share{.validation_examples = tried};
  if (all > most) {
    share.validation_examples =
        static_cast<uint64_t>(static_cast<double>(tried) / all * most);
  }
  share.num_examples = std::min(trained.num_examples(),
                                most_examples - share.validation_examples);
  share.loss_sum =
      Scaled(trained.loss_sum(), share.num_examples, trained.num_examples());
  if (tried > 0) {
    share.validation_loss_sum =
        Scaled(trained.validation_loss_sum(), share.validation_examples, tried);
  }
  return share;
}

}  // namespace

absl::Status SessionRunner::CheckAllowed(const std::string& hash,
                                         const v1::Study& study) const {
  HILUM_RETURN_IF_ERROR(session_.CheckPolicy(study));
  return CheckConsent(
      {.site = options_.site,
       .certificate_pem = options_.credentials == nullptr
                              ? std::string()
                              : options_.credentials->certificate_pem,
       .policy = options_.config.policy()},
      approvals_, hash, study);
}

absl::Status SessionRunner::OpenStudy(const std::string& hash) {
  if (study_.hash == hash && PartOf(hash).follower != nullptr) {
    return absl::OkStatus();
  }
  HILUM_ASSIGN_OR_RETURN(std::string bytes, approvals_.Offer(hash));
  Study opened;
  HILUM_ASSIGN_OR_RETURN(opened.study, ParseStudy(bytes));
  HILUM_RETURN_IF_ERROR(
      WithReason(CheckAllowed(hash, opened.study), v1::UNABLE_REASON_POLICY));
  if (IsSecure(opened.study) && options_.credentials == nullptr) {
    return absl::FailedPreconditionError(
        "the study has secure aggregation, for which this site has no "
        "certificate");
  }
  HILUM_ASSIGN_OR_RETURN(opened.parameters, StudyLayout(opened.study));
  opened.tracks = StudyTracks(opened.study);
  opened.layout = {.track_size = opened.parameters.travelling_size,
                   .num_tracks = static_cast<int>(opened.tracks.size()),
                   .num_arms = opened.study.arms_size(),
                   .validates = IsValidated(opened.study)};
  opened.hash = hash;
  study_ = std::move(opened);
  std::unique_ptr<StudyFollower>& follower = PartOf(hash).follower;
  if (follower != nullptr) return absl::OkStatus();
  follower = std::make_unique<StudyFollower>(StudyFollower::Options{
      .study_hash = hash,
      .study = study_.study,
      .parameters = study_.parameters,
      .layout = study_.layout,
      .site = options_.site,
      .credentials = options_.credentials,
      .blobs = &blobs_,
      .transfer = &transfer_,
      .state_path = ChainPath(hash),
      .check_opening =
          [this](const v1::SumOpening& opening) { return CheckPeers(opening); },
      .announce =
          [this, hash](const v1::BlobRef& blob) {
            facts_.AnnounceBlob(hash, blob);
          }});
  return absl::OkStatus();
}

absl::Status SessionRunner::FetchStart(const v1::Task& task) {
  absl::Status started = follower().Start(task.header());
  if (absl::IsPermissionDenied(started)) {
    HILUM_RETURN_IF_ERROR(RecordRefusal(task, started));
  }
  return started;
}

absl::Status SessionRunner::CheckOwnCases(
    const std::string& hash, const v1::PrepareResponse& prepared) const {
  std::vector<uint64_t> cases;
  for (const v1::ArmCensus& arm : prepared.arms()) {
    uint64_t sum = 0;
    for (uint64_t count : arm.fold_class_counts()) sum += count;
    cases.push_back(sum);
  }
  absl::Status enough = session_.CheckCases(cases);
  if (enough.ok()) {
    enough = CheckOwnCells(
        study_.study, prepared.arms(),
        LimitsOf(options_.config.policy()).minimum_own_cell_patients);
  }
  HILUM_RETURN_IF_ERROR(WithReason(enough, v1::UNABLE_REASON_CASES));
  return WithReason(
      CheckPatientsConsent(approvals_, hash, study_.study, prepared.arms()),
      v1::UNABLE_REASON_POLICY);
}

template <typename Response>
absl::StatusOr<Response> SessionRunner::Listening(
    absl::FunctionRef<absl::StatusOr<Response>()> call) {
  if (options_.exit_when_done) return call();
  PollPace pace(clock_);
  const OfferListener listener({.patience = options_.offer_patience,
                                .ask = [&] { return AskForOffers(pace); },
                                .interrupt = [&] { transport_.Interrupt(); }});
  return call();
}

absl::StatusOr<std::string> SessionRunner::MakeResultsFolder() const {
  const std::string folder =
      ResultsFolder(options_.config.state_dir(), study_.study, study_.hash);
  HILUM_RETURN_IF_ERROR(MakeDirectories(folder));
  return folder;
}

absl::StatusOr<v1::PrepareResponse> SessionRunner::Prepare(
    const std::string& hash) {
  session_.OnPreparing();
  HILUM_RETURN_IF_ERROR(OpenStudy(hash));
  v1::PrepareRequest request;
  request.set_study(SerializeStudy(study_.study));
  request.set_manifest(options_.config.manifest());
  request.set_site_column(options_.config.site_column());
  request.set_patient_key(options_.patient_key);
  request.set_site(options_.site.name());
  request.set_work_dir(options_.config.state_dir());
  HILUM_ASSIGN_OR_RETURN(*request.mutable_notes_dir(), MakeResultsFolder());
  const v1::TrainerConfig& trainer = options_.config.trainer();
  request.set_threads(trainer.threads());
  *request.mutable_devices() = trainer.devices();
  request.set_nondeterministic(trainer.nondeterministic());
  request.set_encrypt_features(
      options_.config.policy().encrypt_feature_cache());
  request.set_minimum_steps(LimitsOf(options_.config.policy()).minimum_steps);
  Log(absl::StrCat("study ", study_.study.name(),
                   ": loading the cases; which of them are not used, and later "
                   "the predictions, are in ",
                   request.notes_dir()));
  absl::StatusOr<v1::PrepareResponse> prepared =
      Listening<v1::PrepareResponse>([&] { return trainer_.Prepare(request); });
  if (!prepared.ok()) {
    return WithReason(prepared.status(), ReasonOfTrainer(prepared.status()));
  }
  for (const std::string& warning : prepared->warnings()) {
    Log(absl::StrCat("warning: ", warning));
  }
  HILUM_RETURN_IF_ERROR(NoteIfNotTaken(hash, CheckOwnCases(hash, *prepared)));
  session_.OnPrepared(hash);
  return prepared;
}

absl::StatusOr<std::optional<v1::PrepareResponse>> SessionRunner::KnownCases(
    const std::string& hash) const {
  if (!session_.IsPrepared(hash)) return std::nullopt;
  HILUM_ASSIGN_OR_RETURN(std::optional<v1::SubmitCensusRequest> given,
                         GivenCensus());
  if (!given.has_value()) return std::nullopt;
  v1::PrepareResponse known;
  known.set_manifest_sha256(given->manifest_sha256());
  *known.mutable_arms() = given->arms();
  *known.mutable_rejected_masks() = given->rejected_masks();
  known.set_rows(given->rows());
  known.set_rejected_rows(given->rejected_rows());
  return known;
}

std::string SessionRunner::CensusPath() const {
  return absl::StrCat(options_.config.state_dir(), "/studies/",
                      ToHex(study_.hash), ".census");
}

absl::StatusOr<std::optional<v1::SubmitCensusRequest>>
SessionRunner::GivenCensus() const {
  absl::StatusOr<std::string> bytes = ReadFile(CensusPath());
  if (absl::IsNotFound(bytes.status())) return std::nullopt;
  HILUM_RETURN_IF_ERROR(bytes.status());
  v1::SubmitCensusRequest census;
  if (!census.ParseFromString(*bytes) ||
      !CheckCensusShape(study_.study, census).ok()) {
    return absl::DataLossError(
        absl::StrCat(CensusPath(), ": changed since the census was given"));
  }
  return census;
}

absl::Status SessionRunner::SubmitCensus(const v1::Task& task,
                                         const v1::PrepareResponse& prepared) {
  HILUM_RETURN_IF_ERROR(FetchStart(task));
  HILUM_ASSIGN_OR_RETURN(std::optional<v1::SubmitCensusRequest> given,
                         GivenCensus());
  v1::SubmitCensusRequest request;
  *request.mutable_header() = task.header();
  request.set_manifest_sha256(prepared.manifest_sha256());
  *request.mutable_arms() = given.has_value() ? given->arms() : prepared.arms();
  *request.mutable_rejected_masks() =
      given.has_value() ? given->rejected_masks() : prepared.rejected_masks();
  request.set_rows(prepared.rows());
  request.set_rejected_rows(prepared.rejected_rows());
  if (!given.has_value()) {
    HILUM_RETURN_IF_ERROR(
        WriteFileAtomically(CensusPath(), request.SerializeAsString()));
  }
  if (IsSecure(study_.study) && !PublishesFigures()) {
    request.clear_arms();
    request.clear_rows();
    request.clear_rejected_rows();
    request.clear_rejected_masks();
  }
  v1::SubmitResponse response;
  return Call("SubmitCensus", request, &response, kCallTimeout);
}

bool SessionRunner::PublishesFigures() const {
  return options_.config.policy().publish_site_figures();
}

absl::StatusOr<v1::CensusTotals> SessionRunner::CohortOf(const v1::Task& task) {
  if (IsSecure(study_.study)) return follower().cohort();
  const absl::Status shape = CheckTotalsShape(study_.study, task.census());
  if (shape.ok()) return task.census();
  HILUM_RETURN_IF_ERROR(RecordRefusal(task, shape));
  return shape;
}

absl::StatusOr<std::string> SessionRunner::FrozenOf(const v1::Task& task) {
  HILUM_RETURN_IF_ERROR(FetchStart(task));
  return follower().FrozenPath(task.header());
}

// The coordinator may turn from one study to another at any time, and no other
// site has what this one has worked out.
void SessionRunner::KeepBlobs(const v1::BlobRef& more) {
  std::vector<v1::BlobRef> needed = {more};
  const auto keep = [&](const std::vector<v1::BlobRef>& blobs) {
    needed.insert(needed.end(), blobs.begin(), blobs.end());
  };
  for (const auto& [hash, part] : parts_) {
    if (part->follower != nullptr) keep(part->follower->Needed());
  }
  // Includes studies that this process has not opened yet.
  for (const std::string& hash : approvals_.Approved()) {
    keep(StudyFollower::NeededBy(ChainPath(hash)));
  }
  blobs_.KeepOnly(needed);
}

std::string SessionRunner::ChainPath(absl::string_view hash) const {
  return absl::StrCat(options_.config.state_dir(), "/studies/", ToHex(hash),
                      ".chain");
}

absl::StatusOr<std::string> SessionRunner::ModelOf(const v1::Task& task) {
  if (IsSecure(study_.study)) {
    KeepBlobs({});
    return follower().ModelPath(task.header(), task.kind());
  }
  // No sum gives the first model: it is the approved one.
  HILUM_RETURN_IF_ERROR(FetchStart(task));
  if (task.kind() == v1::Task::TRAIN && task.header().round() == 1 &&
      task.global().sha256() != follower().start_sha256()) {
    return RefuseModel(task, "not the approved study's starting weights");
  }
  HILUM_ASSIGN_OR_RETURN(std::string path,
                         transfer_.Fetch(task.header(), task.global()));
  KeepBlobs(task.global());
  absl::Status finite = CheckFinite(path);
  if (!absl::IsInvalidArgument(finite)) {
    HILUM_RETURN_IF_ERROR(finite);
    return path;
  }
  return RefuseModel(task, finite.message());
}

absl::Status SessionRunner::RefuseModel(const v1::Task& task,
                                        absl::string_view why) {
  const absl::Status refused = absl::PermissionDeniedError(absl::StrCat(
      "the coordinator's model of round ", task.header().round(), ": ", why));
  HILUM_RETURN_IF_ERROR(RecordRefusal(task, refused));
  return refused;
}

absl::StatusOr<v1::TrainRequest> SessionRunner::MakeTrainRequest(
    const v1::Task& task, const std::string& path) {
  v1::TrainRequest train;
  train.set_round(task.header().round());
  HILUM_ASSIGN_OR_RETURN(v1::CensusTotals cohort, CohortOf(task));
  HILUM_ASSIGN_OR_RETURN(*train.mutable_frozen_path(), FrozenOf(task));
  HILUM_ASSIGN_OR_RETURN(*train.mutable_global_path(), ModelOf(task));
  if (study_.study.training().class_weights() ==
      v1::Training::CLASS_WEIGHTS_BALANCED) {
    for (double weight : ClassWeights(study_.study, cohort)) {
      train.add_class_weights(weight);
    }
  }
  if (HasLocalSteps(study_.study)) {
    for (uint64_t examples : TrackExamples(study_.study, cohort)) {
      train.add_total_examples(examples);
    }
  }
  train.set_delta_path(path);
  return train;
}

absl::StatusOr<std::vector<TrackShare>> SessionRunner::SharesOf(
    const v1::Task& task, const v1::TrainResponse& trained) {
  HILUM_ASSIGN_OR_RETURN(std::optional<v1::SubmitCensusRequest> census,
                         GivenCensus());
  HILUM_ASSIGN_OR_RETURN(v1::CensusTotals cohort, CohortOf(task));
  const std::vector<uint64_t> examples = TrackExamples(study_.study, cohort);
  const std::vector<uint64_t> most_trained = MostTrained(study_.study, cohort);
  std::vector<TrackShare> shares;
  for (int t = 0; t < study_.layout.num_tracks; ++t) {
    const Track& track = study_.tracks[static_cast<size_t>(t)];
    const uint64_t total = examples[static_cast<size_t>(t)];
    // A track for which too few sites have cases is trained by no site.
    const uint64_t most =
        total == 0 ? 0
        : census.has_value()
            ? Sum(TrainingCases(study_.study, track, census->arms()))
            : kMaxSiteExamples;
    // This site counts as one of those that hide the others in the sum.
    if (IsSecure(study_.study) && most > 0 &&
        trained.tracks(t).num_examples() == 0) {
      return absl::AbortedError(
          absl::StrCat("track ", ArmTrackName(track), " could not be trained"));
    }
    TrackShare share =
        ShareOf(trained.tracks(t), most, study_.layout.validates);
    share.total_examples = total;
    share.most_trained = most_trained[static_cast<size_t>(t)];
    if (study_.study.aggregation().normalization() ==
        v1::Aggregation::NORMALIZATION_FEDNOVA) {
      share.normalized_steps = NormalizedSteps(
          study_.study.training().optimizer(), trained.tracks(t).steps());
    }
    shares.push_back(share);
  }
  return shares;
}

absl::StatusOr<v1::BlobRef> SessionRunner::EncodeUpdate(
    const v1::Task& task, const v1::TrainResponse& trained,
    const std::string& path) {
  if (trained.tracks_size() != study_.layout.num_tracks) {
    return absl::InternalError("the trainer's answer lacks tracks");
  }
  UpdateOptions options{
      .layout = study_.layout,
      .clipping_norm = study_.study.aggregation().clipping_norm(),
      .seed = study_.study.seed(),
      .stream = absl::StrCat("rounding/", task.header().round(), "/",
                             options_.site.name())};
  HILUM_ASSIGN_OR_RETURN(options.shares, SharesOf(task, trained));
  return EncodeUpdateFile(path, options);
}

absl::StatusOr<v1::BlobRef> SessionRunner::MakeUpdate(const v1::Task& task,
                                                      const std::string& path) {
  HILUM_ASSIGN_OR_RETURN(v1::TrainRequest train, MakeTrainRequest(task, path));
  absl::StatusOr<v1::TrainResponse> trained =
      Listening<v1::TrainResponse>([&] { return trainer_.Train(train); });
  if (trained.ok()) {
    for (const std::string& warning : trained->warnings()) {
      Log(absl::StrCat("warning: ", warning));
    }
  }
  absl::StatusOr<v1::BlobRef> update =
      trained.ok() ? EncodeUpdate(task, *trained, path) : trained.status();
  if (update.ok() || MayPass(update.status())) return update;
  const std::string nothing = absl::StrCat("round ", task.header().round(),
                                           ": this site gives nothing to it");
  Log(absl::StrCat("warning: ", nothing, ": ", update.status().message()));
  // A sum with zeros would be over fewer sites than it says. The error goes
  // into the ledger, so it has no words of the trainer.
  if (IsSecure(study_.study)) {
    return absl::AbortedError(absl::StrCat(nothing, "; the log has why"));
  }
  return WriteZeroVector(path, study_.layout.size());
}

absl::StatusOr<v1::BlobRef> SessionRunner::UpdateOf(const v1::Task& task) {
  const std::optional<v1::BlobRef> ready = spool().Find(task);
  if (ready.has_value()) return *ready;
  spool().Clear();
  HILUM_ASSIGN_OR_RETURN(v1::BlobRef update, MakeUpdate(task, spool().path()));
  HILUM_RETURN_IF_ERROR(spool().Put(task, update));
  return update;
}

absl::Status SessionRunner::Train(const v1::Task& task) {
  v1::SubmitUpdateRequest request;
  *request.mutable_header() = task.header();
  HILUM_ASSIGN_OR_RETURN(*request.mutable_update(), UpdateOf(task));
  facts_.RegisterUpload(study_.hash, request.update());
  HILUM_RETURN_IF_ERROR(
      transfer_.Upload(task.header(), request.update(), spool().path()));
  v1::SubmitResponse response;
  HILUM_RETURN_IF_ERROR(Call("SubmitUpdate", request, &response, kCallTimeout));
  spool().Clear();
  Log(absl::StrCat("round ", task.header().round(), " of ",
                   study_.study.training().rounds(), ": update is in"));
  return absl::OkStatus();
}

absl::StatusOr<v1::EvaluateResponse> SessionRunner::EvaluateModel(
    const v1::Task& task) {
  v1::EvaluateRequest evaluate;
  HILUM_ASSIGN_OR_RETURN(*evaluate.mutable_frozen_path(), FrozenOf(task));
  HILUM_ASSIGN_OR_RETURN(*evaluate.mutable_global_path(), ModelOf(task));
  HILUM_ASSIGN_OR_RETURN(const std::string folder, MakeResultsFolder());
  evaluate.set_predictions_path(PredictionsPath(folder, options_.site));
  absl::StatusOr<v1::EvaluateResponse> evaluated =
      Listening<v1::EvaluateResponse>(
          [&] { return trainer_.Evaluate(evaluate); });
  if (evaluated.ok() || MayPass(evaluated.status())) return evaluated;
  Log(absl::StrCat("this site gives nothing to the evaluation: ",
                   evaluated.status().message()));
  // ABORTED, since a code of a call would be read as an error of that call. The
  // error goes into the ledger, so it has no words of the trainer.
  return absl::AbortedError(
      "this site gives nothing to the evaluation; the log has why");
}

absl::Status SessionRunner::SubmitEvaluation(
    const v1::Task& task,
    const absl::StatusOr<v1::EvaluateResponse>& evaluated) {
  v1::SubmitEvaluationRequest request;
  *request.mutable_header() = task.header();
  if (evaluated.ok()) {
    *request.mutable_tracks() = evaluated->tracks();
    HILUM_ASSIGN_OR_RETURN(v1::CensusTotals cohort, CohortOf(task));
    WithholdHistograms(HistogramsShown(study_.study, cohort),
                       *request.mutable_tracks());
  } else {
    request.set_unable(true);
  }
  v1::SubmitResponse response;
  return Call("SubmitEvaluation", request, &response, kCallTimeout);
}

absl::Status SessionRunner::Evaluate(const v1::Task& task) {
  absl::StatusOr<v1::EvaluateResponse> evaluated = EvaluateModel(task);
  if (!evaluated.ok() && !absl::IsAborted(evaluated.status())) {
    return evaluated.status();
  }
  HILUM_RETURN_IF_ERROR(SubmitEvaluation(task, evaluated));
  if (evaluated.ok()) Log("evaluation is in; predictions stay here");
  return absl::OkStatus();
}

}  // namespace hilum
