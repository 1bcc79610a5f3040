// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/session_runner.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/crypto/short_hash.h"
#include "site_agent/gateway/unable_reason.h"

namespace hilum {

using Do = SiteSession::Do;

SessionRunner::SessionRunner(Options options, Transport& transport,
                             Trainer& trainer, Clock& clock, FolderLock folder,
                             std::unique_ptr<Ledger> ledger,
                             Approvals approvals, BlobCache blobs)
    : options_(std::move(options)),
      log_(options_),
      folder_(std::move(folder)),
      ledger_(std::move(ledger)),
      approvals_(std::move(approvals)),
      blobs_(std::move(blobs)),
      facts_({.site = options_.site.name(),
              .certificate_pem = options_.certificate_pem()},
             approvals_, clock),
      gate_(transport, *ledger_, approvals_, facts_),
      calls_(gate_, transport, clock, log_),
      transfer_(
          [this](absl::string_view method,
                 const google::protobuf::Message& request,
                 google::protobuf::Message* response) {
            return calls_.Call(method, request, response);
          },
          blobs_),
      session_(options_.config.policy()),
      refusals_(*ledger_, approvals_, log_),
      parts_({.options = options_,
              .trainer = trainer,
              .clock = clock,
              .ledger = *ledger_,
              .approvals = approvals_,
              .blobs = blobs_,
              .transfer = transfer_,
              .facts = facts_,
              .calls = calls_,
              .session = session_,
              .patience = patience_,
              .refusals = refusals_,
              .log = log_}),
      studies_(parts_),
      offers_(parts_),
      tasks_(parts_, studies_, offers_),
      sums_(parts_, tasks_),
      pace_(clock),
      given_up_(options_.config.manifest(), approvals_.approvals_dir()) {}

absl::StatusOr<std::unique_ptr<SessionRunner>> SessionRunner::Create(
    Options options, Transport& transport, Trainer& trainer, Clock& clock) {
  const std::string state = options.config.state_dir();
  HILUM_RETURN_IF_ERROR(MakeDirectories(absl::StrCat(state, "/spool")));
  // Before the ledger: opening it cuts off a line that another process may
  // write.
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

absl::Status SessionRunner::Run() {
  for (;;) {
    absl::StatusOr<bool> done = Step();
    if (calls_.stopped()) return absl::OkStatus();
    if (done.ok()) patience_.OnDone();
    if (patience_.WaitsForRoom(done.status())) {
      patience_.OnFailed(done.status());
      log_(
          absl::StrCat("warning: ", done.status().message(), "; trying again"));
      calls_.Pause(CoordinatorCalls::kLongestPause);
      continue;
    }
    if (!done.ok()) return done.status();
    if (*done) return absl::OkStatus();
  }
}

absl::StatusOr<bool> SessionRunner::Step() {
  HILUM_RETURN_IF_ERROR(offers_.RecordDecisions());
  HILUM_RETURN_IF_ERROR(offers_.NoteStrangers());
  RetryMended();
  const std::set<std::string> approved = approvals_.Approved();
  const v1::NextTaskRequest poll = offers_.Question(approved);
  v1::NextTaskResponse answer;
  pace_.Asking();
  absl::Status asked =
      calls_.Call("NextTask", poll, &answer,
                  absl::Milliseconds(poll.wait_ms()) + kPollMargin);
  const bool asks_again = absl::IsCancelled(asked) || absl::IsDataLoss(asked);
  if (absl::IsDataLoss(asked) && asked.message() != last_refused_) {
    last_refused_ = std::string(asked.message());
    log_(absl::StrCat("error: ", last_refused_));
  }
  if (!asks_again) HILUM_RETURN_IF_ERROR(asked);
  if (!calls_.Pause(pace_.After(asked, answer)) || asks_again) return false;
  absl::StatusOr<SiteSession::Action> action =
      session_.OnAnswer(answer, approved);
  if (absl::IsPermissionDenied(action.status())) {
    log_(absl::StrCat("error: ", action.status().message()));
    calls_.Pause(CoordinatorCalls::kFirstPause);
    return false;
  }
  HILUM_RETURN_IF_ERROR(action.status());
  if (action->what == Do::kEnd) return End(*action);
  absl::Status done = Perform(*action);
  if (done.ok() || calls_.stopped()) return false;
  // Only an error of NextTask says that the coordinator does not know this
  // site. Any other error, whoever sends it, costs its own study and no other.
  if (patience_.WaitsForRoom(done)) return done;
  if (absl::IsCancelled(done)) {  // this site is being stopped
    calls_.Pause(CoordinatorCalls::kFirstPause);
    return false;
  }
  if (IsRoundOver(done) && session_.IsPrepared(action->study_hash)) {
    log_(absl::StrCat("round ", action->task.header().round(),
                      " goes on without this site: ", done.message()));
    // An answer that keeps coming back must not become a busy loop.
    calls_.Pause(CoordinatorCalls::kFirstPause);
    return false;
  }
  return GiveUp(*action, done);
}

absl::StatusOr<bool> SessionRunner::End(const SiteSession::Action& action) {
  log_(absl::StrCat(
      "study ", ShortHash(action.study_hash),
      action.completed ? " is complete" : " ended: ", action.reason));
  HILUM_RETURN_IF_ERROR(approvals_.MarkEnded(action.study_hash));
  studies_.End(action.study_hash);
  if (!options_.exit_when_done) return false;
  if (action.completed) return true;
  return absl::AbortedError(
      absl::StrCat("the study ended without result: ", action.reason));
}

absl::StatusOr<bool> SessionRunner::GiveUp(const SiteSession::Action& action,
                                           const absl::Status& why) {
  log_(absl::StrCat("error: study ", ShortHash(action.study_hash),
                    " cannot be worked on: ", why.message()));
  if (action.task.has_header()) {
    v1::SubmitCensusRequest request;
    *request.mutable_header() = action.task.header();
    request.set_unable(true);
    request.set_unable_reason(ReasonOf(why));
    v1::SubmitResponse response;
    absl::Status told = calls_.Call("SubmitCensus", request, &response);
    if (!told.ok()) log_(absl::StrCat("SubmitCensus: ", told.message()));
  }
  if (options_.exit_when_done) {
    // Otherwise the other sites would wait for this one, which is about to end.
    if (absl::IsPermissionDenied(why)) offers_.TellRefusals();
    return why;
  }
  log_(absl::StrCat("mend it: this study is tried again once ",
                    options_.config.manifest(),
                    " or its approval has changed, or hilum-site is started "
                    "again; other studies go on"));
  session_.OnUnusable(action.study_hash);
  given_up_.Add(action.study_hash);
  return false;
}

void SessionRunner::RetryMended() {
  for (const std::string& hash : given_up_.TakeMended()) {
    log_(absl::StrCat("study ", ShortHash(hash),
                      ": the case manifest or the approval has changed; trying "
                      "again"));
    session_.OnMended(hash);
  }
}

absl::Status SessionRunner::Perform(const SiteSession::Action& action) {
  if (action.what == Do::kStoreOffer) return offers_.Store(action);
  if (action.what == Do::kPollAgain) return absl::OkStatus();
  absl::StatusOr<StudyAtSite*> opened = studies_.Open(action.study_hash);
  HILUM_RETURN_IF_ERROR(
      refusals_.NoteIfNotTaken(action.study_hash, opened.status()));
  StudyAtSite& study = **opened;
  const v1::Task& task = action.task;
  if (absl::Status fits = SumSteps::CheckTask(study, task); !fits.ok()) {
    HILUM_RETURN_IF_ERROR(refusals_.Record(task, fits));
    return fits;
  }
  // The other steps use keys that this process holds, and no cases.
  if (task.has_secure() &&
      (action.what == Do::kPrepare || !task.secure().has_advertise_keys())) {
    return sums_.TakeStep(study, task);
  }
  if (action.what == Do::kPrepare || action.needs_prepare) {
    // The coordinator must not choose when the cases are read again: the
    // difference of two censuses would be the patients who came meanwhile.
    HILUM_ASSIGN_OR_RETURN(std::optional<v1::PrepareResponse> known,
                           tasks_.KnownCases(study));
    if (known.has_value() && action.what == Do::kPrepare) {
      return tasks_.SubmitCensus(study, task, *known);
    }
    HILUM_ASSIGN_OR_RETURN(v1::PrepareResponse prepared, tasks_.Prepare(study));
    if (action.what == Do::kPrepare) {
      HILUM_RETURN_IF_ERROR(tasks_.SubmitCensus(study, task, prepared));
      log_("census given; the study waits for the other sites");
      return absl::OkStatus();
    }
  }
  if (task.has_secure()) return sums_.TakeStep(study, task);
  return action.what == Do::kTrain ? tasks_.Train(study, task)
                                   : tasks_.Evaluate(study, task);
}

}  // namespace hilum
