// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/session_runner.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <numeric>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/config/census.h"
#include "common/crypto/sha256.h"
#include "common/model/architecture.h"

namespace hilum {
namespace {

using Do = SiteSession::Do;

constexpr absl::Duration kCallTimeout = absl::Minutes(2);
constexpr absl::Duration kPollMargin = absl::Seconds(15);
constexpr absl::Duration kFirstPause = absl::Milliseconds(200);
constexpr absl::Duration kLongestPause = absl::Seconds(15);

bool IsTransient(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsResourceExhausted(status);
}

// Of the trainer's failures: those that need not come again.
bool MayPass(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsCancelled(status) ||
         absl::IsResourceExhausted(status);
}

// The round went on without this answer; the next task says how.
bool IsRoundOver(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) ||
         absl::IsInvalidArgument(status) || absl::IsNotFound(status);
}

uint64_t Sum(const std::vector<uint64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

// What a track is weighed with: at most the cases that the cohort knows of, or
// the weights of all sites could come to more than one.
TrackShare ShareOf(const v1::TrackUpdate& trained, uint64_t most_examples) {
  const uint64_t n = std::min(trained.num_examples(), most_examples);
  if (n == trained.num_examples()) return {n, trained.loss_sum()};
  return {n, trained.loss_sum() * static_cast<double>(n) /
                 static_cast<double>(trained.num_examples())};
}

std::string ShortHash(absl::string_view hash) {
  return ToHex(hash).substr(0, 12);
}

}  // namespace

SessionRunner::SessionRunner(Options options, Transport& transport,
                             Trainer& trainer, Clock& clock, FolderLock folder,
                             std::unique_ptr<Ledger> ledger,
                             Approvals approvals, BlobCache blobs)
    : options_(std::move(options)),
      transport_(transport),
      trainer_(trainer),
      clock_(clock),
      folder_(std::move(folder)),
      ledger_(std::move(ledger)),
      approvals_(std::move(approvals)),
      blobs_(std::move(blobs)),
      transfer_(
          [this](absl::string_view method,
                 const google::protobuf::Message& request,
                 google::protobuf::Message* response) {
            return Call(method, request, response, kCallTimeout);
          },
          blobs_),
      gate_(transport, *ledger_),
      session_(options_.config.policy()) {}

absl::StatusOr<std::unique_ptr<SessionRunner>> SessionRunner::Create(
    Options options, Transport& transport, Trainer& trainer, Clock& clock) {
  const std::string state = options.config.state_dir();
  HILUM_RETURN_IF_ERROR(MakeDirectories(absl::StrCat(state, "/spool")));
  // Before the ledger: opening it cuts off a line that another may write.
  HILUM_ASSIGN_OR_RETURN(FolderLock folder,
                         FolderLock::Take(state, "hilum-site"));
  HILUM_ASSIGN_OR_RETURN(
      std::unique_ptr<Ledger> ledger,
      Ledger::Open(absl::StrCat(state, "/ledger.jsonl"), clock));
  HILUM_ASSIGN_OR_RETURN(Approvals approvals, Approvals::Open(state));
  HILUM_ASSIGN_OR_RETURN(BlobCache blobs,
                         BlobCache::Open(absl::StrCat(state, "/blobs")));
  return std::unique_ptr<SessionRunner>(new SessionRunner(
      std::move(options), transport, trainer, clock, std::move(folder),
      std::move(ledger), std::move(approvals), std::move(blobs)));
}

void SessionRunner::Log(absl::string_view line) const { options_.log(line); }

void SessionRunner::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
    changed_.SignalAll();
  }
  transport_.Shutdown();
}

bool SessionRunner::stopped() {
  absl::MutexLock lock(&mutex_);
  return stop_;
}

bool SessionRunner::Pause(absl::Duration pause) {
  absl::Time until = clock_.Now() + pause;
  absl::MutexLock lock(&mutex_);
  while (!stop_ && clock_.Now() < until) {
    changed_.WaitWithTimeout(&mutex_, until - clock_.Now());
  }
  return !stop_;
}

absl::Status SessionRunner::Call(absl::string_view method,
                                 const google::protobuf::Message& request,
                                 google::protobuf::Message* response,
                                 absl::Duration timeout) {
  absl::Duration pause = kFirstPause;
  bool said = false;
  for (;;) {
    absl::Status status = gate_.Call(method, request, response, timeout);
    if (!IsTransient(status)) {
      if (said && status.ok()) Log("the coordinator answers again");
      return status;
    }
    if (!said) {
      Log(absl::StrCat(method, ": ", status.message(), "; trying again"));
      said = true;
    }
    if (!Pause(pause)) return absl::CancelledError("stopped");
    pause = std::min(pause * 2, kLongestPause);
  }
}

absl::Status SessionRunner::Run() {
  for (;;) {
    absl::StatusOr<bool> done = Step();
    if (stopped()) return absl::OkStatus();
    if (absl::IsResourceExhausted(done.status())) {  // the disk is full
      Log(absl::StrCat(done.status().message(), "; trying again"));
      Pause(kLongestPause);
      continue;
    }
    if (!done.ok()) return done.status();
    if (*done) return absl::OkStatus();
  }
}

absl::StatusOr<bool> SessionRunner::Step() {
  HILUM_RETURN_IF_ERROR(RecordDecisions());
  std::set<std::string> approved = approvals_.Approved();
  v1::NextTaskRequest poll =
      session_.Poll(approvals_.Offered(), approved, approvals_.Refused());
  v1::NextTaskResponse answer;
  absl::Status asked = Call("NextTask", poll, &answer,
                            absl::Milliseconds(poll.wait_ms()) + kPollMargin);
  if (absl::IsCancelled(asked)) return false;
  HILUM_RETURN_IF_ERROR(asked);
  absl::StatusOr<SiteSession::Action> action =
      session_.OnAnswer(answer, approved);
  if (absl::IsPermissionDenied(action.status())) {
    Log(action.status().message());
    Pause(kFirstPause);
    return false;
  }
  HILUM_RETURN_IF_ERROR(action.status());
  if (action->what == Do::kEnd) return End(*action);
  absl::Status done = Perform(*action);
  if (done.ok() || stopped()) return false;
  if (absl::IsUnauthenticated(done) || absl::IsResourceExhausted(done)) {
    return done;
  }
  if (IsRoundOver(done) && session_.IsPrepared(action->study_hash)) {
    Log(absl::StrCat("round ", action->task.header().round(),
                     " goes on without this site: ", done.message()));
    // An answer that keeps coming back must not become a busy loop.
    Pause(kFirstPause);
    return false;
  }
  return GiveUp(*action, done);
}

absl::StatusOr<bool> SessionRunner::End(const SiteSession::Action& action) {
  Log(absl::StrCat(
      "study ", ShortHash(action.study_hash),
      action.completed ? " is complete" : " ended: ", action.reason));
  HILUM_RETURN_IF_ERROR(approvals_.MarkEnded(action.study_hash));
  blobs_.KeepOnly({});
  if (!options_.exit_when_done) return false;
  if (action.completed) return true;
  return absl::AbortedError(
      absl::StrCat("the study ended without result: ", action.reason));
}

absl::StatusOr<bool> SessionRunner::GiveUp(const SiteSession::Action& action,
                                           const absl::Status& why) {
  Log(absl::StrCat("study ", ShortHash(action.study_hash),
                   " cannot be worked on: ", why.message()));
  if (action.task.has_header()) {
    v1::SubmitCensusRequest request;
    *request.mutable_header() = action.task.header();
    request.set_unable(true);
    v1::SubmitResponse response;
    absl::Status told = Call("SubmitCensus", request, &response, kCallTimeout);
    if (!told.ok()) Log(absl::StrCat("SubmitCensus: ", told.message()));
  }
  if (options_.exit_when_done) return why;
  Log("mend it and start hilum-site again; other studies go on");
  session_.OnUnusable(action.study_hash);
  return false;
}

absl::Status SessionRunner::RecordDecisions() {
  for (bool refused : {false, true}) {
    for (const std::string& hash :
         refused ? approvals_.Refused() : approvals_.Approved()) {
      if (approvals_.IsRecorded(hash, refused)) continue;
      v1::LedgerEntry entry;
      entry.set_kind(refused ? v1::LedgerEntry::REFUSED
                             : v1::LedgerEntry::APPROVED);
      entry.set_study_hash(ToHex(hash));
      HILUM_RETURN_IF_ERROR(ledger_->Append(entry));
      HILUM_RETURN_IF_ERROR(approvals_.MarkRecorded(hash, refused));
    }
  }
  return absl::OkStatus();
}

absl::Status SessionRunner::Perform(const SiteSession::Action& action) {
  if (action.what == Do::kStoreOffer) return StoreOffer(action);
  if (action.what == Do::kPollAgain) return absl::OkStatus();
  if (action.what == Do::kPrepare || action.needs_prepare) {
    HILUM_ASSIGN_OR_RETURN(v1::PrepareResponse prepared,
                           Prepare(action.study_hash));
    if (action.what == Do::kPrepare) {
      return SubmitCensus(action.task, prepared);
    }
  }
  return action.what == Do::kTrain ? Train(action.task) : Evaluate(action.task);
}

absl::Status SessionRunner::StoreOffer(const SiteSession::Action& action) {
  HILUM_RETURN_IF_ERROR(approvals_.PutOffer(action.study_hash, action.study));
  Log(absl::StrCat("study ", ToHex(action.study_hash),
                   " is offered; see `hilum-site study show`, then `hilum-site "
                   "study approve` or `refuse`"));
  return absl::OkStatus();
}

absl::Status SessionRunner::OpenStudy(const std::string& hash) {
  if (study_.hash == hash) return absl::OkStatus();
  HILUM_ASSIGN_OR_RETURN(std::string bytes, approvals_.Offer(hash));
  Study opened;
  HILUM_ASSIGN_OR_RETURN(opened.study, ParseStudy(bytes));
  HILUM_RETURN_IF_ERROR(session_.CheckPolicy(opened.study));
  HILUM_ASSIGN_OR_RETURN(ParameterLayout layout, StudyLayout(opened.study));
  opened.tracks = StudyTracks(opened.study);
  opened.layout = {.track_size = layout.travelling_size,
                   .num_tracks = static_cast<int>(opened.tracks.size())};
  opened.hash = hash;
  study_ = std::move(opened);
  return absl::OkStatus();
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
  request.set_threads(options_.config.trainer().threads());
  Log(absl::StrCat("study ", study_.study.name(), ": loading the cases"));
  HILUM_ASSIGN_OR_RETURN(v1::PrepareResponse prepared,
                         trainer_.Prepare(request));
  for (const std::string& warning : prepared.warnings()) Log(warning);
  std::vector<uint64_t> cases;
  for (const v1::ArmCensus& arm : prepared.arms()) {
    uint64_t sum = 0;
    for (uint64_t count : arm.fold_class_counts()) sum += count;
    cases.push_back(sum);
  }
  HILUM_RETURN_IF_ERROR(session_.CheckCases(cases));
  session_.OnPrepared(hash);
  return prepared;
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
  HILUM_ASSIGN_OR_RETURN(std::optional<v1::SubmitCensusRequest> given,
                         GivenCensus());
  v1::SubmitCensusRequest request;
  *request.mutable_header() = task.header();
  request.set_manifest_sha256(prepared.manifest_sha256());
  *request.mutable_arms() = given.has_value() ? given->arms() : prepared.arms();
  request.set_rows(prepared.rows());
  request.set_rejected_rows(prepared.rejected_rows());
  if (!given.has_value()) {
    HILUM_RETURN_IF_ERROR(
        WriteFileAtomically(CensusPath(), request.SerializeAsString()));
  }
  v1::SubmitResponse response;
  return Call("SubmitCensus", request, &response, kCallTimeout);
}

std::string SessionRunner::SpoolPath() const {
  return absl::StrCat(options_.config.state_dir(), "/spool/update");
}

absl::StatusOr<v1::TrainRequest> SessionRunner::MakeTrainRequest(
    const v1::Task& task, const std::string& path) {
  v1::TrainRequest train;
  train.set_round(task.header().round());
  HILUM_ASSIGN_OR_RETURN(*train.mutable_frozen_path(),
                         transfer_.Fetch(task.header(), task.frozen()));
  HILUM_ASSIGN_OR_RETURN(*train.mutable_global_path(),
                         transfer_.Fetch(task.header(), task.global()));
  blobs_.KeepOnly({task.frozen(), task.global()});
  *train.mutable_class_weights() = task.class_weights();
  train.set_delta_path(path);
  return train;
}

absl::StatusOr<v1::BlobRef> SessionRunner::EncodeUpdate(
    const v1::Task& task, const v1::TrainResponse& trained,
    const std::string& path) const {
  const int num_tracks = study_.layout.num_tracks;
  if (trained.tracks_size() != num_tracks) {
    return absl::InternalError("the trainer's answer lacks tracks");
  }
  if (task.track_examples_size() != num_tracks) {
    return absl::InvalidArgumentError("the coordinator's task lacks tracks");
  }
  HILUM_ASSIGN_OR_RETURN(std::optional<v1::SubmitCensusRequest> census,
                         GivenCensus());
  UpdateOptions options{
      .layout = study_.layout,
      .clipping_norm = study_.study.aggregation().clipping_norm(),
      .seed = study_.study.seed(),
      .stream = absl::StrCat("rounding/", task.header().round(), "/",
                             options_.site.name())};
  for (int t = 0; t < num_tracks; ++t) {
    const Track& track = study_.tracks[static_cast<size_t>(t)];
    TrackShare share = ShareOf(
        trained.tracks(t),
        census.has_value() ? Sum(TrainingCases(study_.study, track, *census))
                           : kMaxSiteExamples);
    share.total_examples = task.track_examples(t);
    options.shares.push_back(share);
  }
  return EncodeUpdateFile(path, options);
}

absl::StatusOr<v1::BlobRef> SessionRunner::MakeUpdate(const v1::Task& task,
                                                      const std::string& path) {
  HILUM_ASSIGN_OR_RETURN(v1::TrainRequest train, MakeTrainRequest(task, path));
  absl::StatusOr<v1::TrainResponse> trained = trainer_.Train(train);
  absl::StatusOr<v1::BlobRef> update =
      trained.ok() ? EncodeUpdate(task, *trained, path) : trained.status();
  if (update.ok() || MayPass(update.status())) return update;
  Log(absl::StrCat("round ", task.header().round(), ": this site gives ",
                   "nothing to it: ", update.status().message()));
  return WriteZeroUpdate(path, study_.layout, {});
}

absl::Status SessionRunner::Train(const v1::Task& task) {
  v1::SubmitUpdateRequest request;
  *request.mutable_header() = task.header();
  std::string path = SpoolPath();
  HILUM_ASSIGN_OR_RETURN(*request.mutable_update(), MakeUpdate(task, path));
  HILUM_RETURN_IF_ERROR(
      transfer_.Upload(task.header(), request.update(), path));
  v1::SubmitResponse response;
  HILUM_RETURN_IF_ERROR(Call("SubmitUpdate", request, &response, kCallTimeout));
  unlink(path.c_str());
  Log(absl::StrCat("round ", task.header().round(), " of ",
                   study_.study.training().rounds(), ": update is in"));
  return absl::OkStatus();
}

absl::Status SessionRunner::Evaluate(const v1::Task& task) {
  v1::EvaluateRequest evaluate;
  HILUM_ASSIGN_OR_RETURN(*evaluate.mutable_frozen_path(),
                         transfer_.Fetch(task.header(), task.frozen()));
  HILUM_ASSIGN_OR_RETURN(*evaluate.mutable_global_path(),
                         transfer_.Fetch(task.header(), task.global()));
  evaluate.set_predictions_path(absl::StrCat(options_.config.state_dir(),
                                             "/predictions-site-",
                                             options_.site.name(), ".csv"));
  absl::StatusOr<v1::EvaluateResponse> evaluated = trainer_.Evaluate(evaluate);
  if (MayPass(evaluated.status())) return evaluated.status();
  v1::SubmitEvaluationRequest request;
  *request.mutable_header() = task.header();
  if (evaluated.ok()) {
    *request.mutable_tracks() = evaluated->tracks();
  } else {
    Log(absl::StrCat("this site gives nothing to the evaluation: ",
                     evaluated.status().message()));
    request.set_unable(true);
  }
  v1::SubmitResponse response;
  HILUM_RETURN_IF_ERROR(
      Call("SubmitEvaluation", request, &response, kCallTimeout));
  if (evaluated.ok()) {
    Log(absl::StrCat("evaluation is in; predictions stay in ",
                     evaluate.predictions_path()));
  }
  return absl::OkStatus();
}

}  // namespace hilum
