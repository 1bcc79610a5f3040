// SPDX-License-Identifier: Apache-2.0
// The loop that asks for tasks and goes on after failures. session_tasks.cc has
// the tasks, session_sums.cc the steps of a secure sum.
#include "site_agent/gateway/session_runner.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/printable.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "site_agent/gateway/unable_reason.h"

namespace hilum {
namespace {

using Do = SiteSession::Do;

constexpr absl::Duration kPollMargin = absl::Seconds(15);
constexpr absl::Duration kLongestPause = absl::Seconds(15);
constexpr size_t kMaxLogLine = 2000;

// How often a call is repeated that is over a limit, if the error does not say
// whether the limit may change.
constexpr int kMostPerhaps = 8;

std::string ShortHash(absl::string_view hash) {
  return ToHex(hash).substr(0, 12);
}

// Returns a stamp that changes when the file does. Needs no right to read it.
std::string FileStamp(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return "none";
  return absl::StrCat(info.st_ino, "/", info.st_size, "/", info.st_mtim.tv_sec,
                      ".", info.st_mtim.tv_nsec);
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
      facts_({.site = options_.site.name(),
              .certificate_pem = options_.credentials == nullptr
                                     ? std::string()
                                     : options_.credentials->certificate_pem},
             approvals_, clock),
      gate_(transport, *ledger_, approvals_, facts_),
      pace_(clock),
      session_(options_.config.policy()) {}

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

SessionRunner::Part& SessionRunner::PartOf(const std::string& hash) {
  std::unique_ptr<Part>& part = parts_[hash];
  if (part == nullptr) {
    const std::string& state = options_.config.state_dir();
    part = std::make_unique<Part>(Part{
        .spool = SpooledVector(absl::StrCat(state, "/spool/", ToHex(hash))),
        .secure = SecurePart({.site = options_.site,
                              .credentials = options_.credentials,
                              .rng = options_.rng,
                              .studies_dir = absl::StrCat(state, "/studies")}),
        .follower = nullptr});
  }
  return *part;
}

// The only code that writes the log. Lines may have words of the trainer and of
// the coordinator in them, and are made printable here.
void SessionRunner::Log(absl::string_view line) const {
  options_.log(PrintableLine(line, kMaxLogLine));
}

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
  int perhaps = 0;
  for (;;) {
    absl::Status status = gate_.Call(method, request, response, timeout);
    const CallOutcome outcome = OutcomeOf(status);
    if (!IsWorthWaiting(outcome) ||
        (outcome == CallOutcome::kPerhaps && ++perhaps > kMostPerhaps)) {
      if (said && status.ok()) Log("the coordinator answers again");
      return status;
    }
    if (!said) {
      Log(absl::StrCat("warning: ", method, ": ", status.message(),
                       "; trying again"));
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
    if (done.ok()) perhaps_ = 0;
    if (WaitsForRoom(done.status())) {
      if (OutcomeOf(done.status()) == CallOutcome::kPerhaps) ++perhaps_;
      Log(absl::StrCat("warning: ", done.status().message(), "; trying again"));
      Pause(kLongestPause);
      continue;
    }
    if (!done.ok()) return done.status();
    if (*done) return absl::OkStatus();
  }
}

bool SessionRunner::WaitsForRoom(const absl::Status& status) const {
  const CallOutcome outcome = OutcomeOf(status);
  return outcome == CallOutcome::kDiskFull ||
         (outcome == CallOutcome::kPerhaps && perhaps_ < kMostPerhaps);
}

bool SessionRunner::MayPass(const absl::Status& status) const {
  const CallOutcome outcome = OutcomeOf(status);
  if (outcome == CallOutcome::kPerhaps) return WaitsForRoom(status);
  return IsWorthWaiting(outcome) || outcome == CallOutcome::kStopped;
}

absl::StatusOr<bool> SessionRunner::Step() {
  HILUM_RETURN_IF_ERROR(RecordDecisions());
  HILUM_RETURN_IF_ERROR(NoteStrangers());
  RetryMended();
  std::set<std::string> approved = approvals_.Approved();
  std::set<std::string> known = approvals_.Offered();
  known.merge(facts_.RefusedOffers());
  v1::NextTaskRequest poll =
      session_.Poll(known, approved, approvals_.Refused());
  v1::NextTaskResponse answer;
  pace_.Asking();
  absl::Status asked = Call("NextTask", poll, &answer,
                            absl::Milliseconds(poll.wait_ms()) + kPollMargin);
  const bool asks_again = absl::IsCancelled(asked) || absl::IsDataLoss(asked);
  if (absl::IsDataLoss(asked) && asked.message() != last_refused_) {
    last_refused_ = std::string(asked.message());
    Log(absl::StrCat("error: ", last_refused_));
  }
  if (!asks_again) HILUM_RETURN_IF_ERROR(asked);
  if (!Pause(pace_.After(asked, answer)) || asks_again) return false;
  absl::StatusOr<SiteSession::Action> action =
      session_.OnAnswer(answer, approved);
  if (absl::IsPermissionDenied(action.status())) {
    Log(absl::StrCat("error: ", action.status().message()));
    Pause(kFirstPause);
    return false;
  }
  HILUM_RETURN_IF_ERROR(action.status());
  if (action->what == Do::kEnd) return End(*action);
  absl::Status done = Perform(*action);
  if (done.ok() || stopped()) return false;
  // Only an error of NextTask says that the coordinator does not know this
  // site. Any other error, whoever sends it, costs its own study and no other.
  if (WaitsForRoom(done)) return done;
  if (absl::IsCancelled(done)) {  // this site is being stopped
    Pause(kFirstPause);
    return false;
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

absl::Duration SessionRunner::AskForOffers(PollPace& pace) {
  std::set<std::string> known = approvals_.Offered();
  known.merge(facts_.RefusedOffers());
  // Tells of no approved study, so that no task comes beside the running one.
  v1::NextTaskResponse answer;
  pace.Asking();
  absl::Status asked = RecordDecisions();
  if (asked.ok()) {
    const v1::NextTaskRequest poll =
        session_.Poll(known, {}, approvals_.Refused());
    asked = gate_.Call("NextTask", poll, &answer,
                       absl::Milliseconds(poll.wait_ms()) + kPollMargin);
  }
  if (!asked.ok() && !absl::IsCancelled(asked) && !absl::IsDataLoss(asked)) {
    return kLongestPause;
  }
  if (asked.ok() && answer.has_offer()) {
    const absl::StatusOr<SiteSession::Action> offer =
        session_.OnAnswer(answer, {});
    asked = offer.ok() ? StoreOffer(*offer) : offer.status();
    if (!asked.ok()) Log(asked.message());
  }
  return pace.After(asked, answer);
}

absl::StatusOr<bool> SessionRunner::End(const SiteSession::Action& action) {
  Log(absl::StrCat(
      "study ", ShortHash(action.study_hash),
      action.completed ? " is complete" : " ended: ", action.reason));
  HILUM_RETURN_IF_ERROR(approvals_.MarkEnded(action.study_hash));
  PartOf(action.study_hash).spool.Clear();
  parts_.erase(action.study_hash);
  KeepBlobs({});
  if (!options_.exit_when_done) return false;
  if (action.completed) return true;
  return absl::AbortedError(
      absl::StrCat("the study ended without result: ", action.reason));
}

absl::StatusOr<bool> SessionRunner::GiveUp(const SiteSession::Action& action,
                                           const absl::Status& why) {
  Log(absl::StrCat("error: study ", ShortHash(action.study_hash),
                   " cannot be worked on: ", why.message()));
  if (action.task.has_header()) {
    v1::SubmitCensusRequest request;
    *request.mutable_header() = action.task.header();
    request.set_unable(true);
    request.set_unable_reason(ReasonOf(why));
    v1::SubmitResponse response;
    absl::Status told = Call("SubmitCensus", request, &response, kCallTimeout);
    if (!told.ok()) Log(absl::StrCat("SubmitCensus: ", told.message()));
  }
  if (options_.exit_when_done) {
    if (absl::IsPermissionDenied(why)) TellRefusals();
    return why;
  }
  Log(absl::StrCat("mend it: this study is tried again once ",
                   options_.config.manifest(),
                   " or its approval has changed, or hilum-site is started "
                   "again; other studies go on"));
  session_.OnUnusable(action.study_hash);
  given_up_[action.study_hash] = MendStamp(action.study_hash);
  return false;
}

// Otherwise the other sites would wait for this one, which is about to end.
void SessionRunner::TellRefusals() {
  v1::NextTaskRequest poll =
      session_.Poll(approvals_.Offered(), {}, approvals_.Refused());
  poll.set_wait_ms(0);
  v1::NextTaskResponse answer;
  absl::Status told = RecordDecisions();
  if (told.ok()) told = gate_.Call("NextTask", poll, &answer, kPollMargin);
  if (!told.ok()) Log(absl::StrCat("NextTask: ", told.message()));
}

std::string SessionRunner::MendStamp(const std::string& hash) const {
  return absl::StrCat(FileStamp(options_.config.manifest()), " ",
                      FileStamp(absl::StrCat(approvals_.approvals_dir(), "/",
                                             ToHex(hash), ".approved")));
}

void SessionRunner::RetryMended() {
  for (auto study = given_up_.begin(); study != given_up_.end();) {
    if (MendStamp(study->first) == study->second) {
      ++study;
      continue;
    }
    Log(absl::StrCat("study ", ShortHash(study->first),
                     ": the case manifest or the approval has changed; trying "
                     "again"));
    session_.OnMended(study->first);
    study = given_up_.erase(study);
  }
}

std::string SessionRunner::NameOf(const std::string& hash) const {
  const absl::StatusOr<std::string> bytes = approvals_.Offer(hash);
  const absl::StatusOr<v1::Study> study =
      bytes.ok() ? ParseStudy(*bytes) : bytes.status();
  return study.ok() ? study->name() : "that cannot be read";
}

absl::Status SessionRunner::RecordDecisions() {
  for (bool refused : {false, true}) {
    for (const std::string& hash :
         refused ? approvals_.Refused() : approvals_.Approved()) {
      if (approvals_.IsRecorded(hash, refused)) continue;
      const std::string by = approvals_.DecidedBy(hash, refused);
      v1::LedgerEntry entry;
      entry.set_kind(refused ? v1::LedgerEntry::REFUSED
                             : v1::LedgerEntry::APPROVED);
      entry.set_study_hash(ToHex(hash));
      if (!by.empty()) entry.set_detail(absl::StrCat("by ", by));
      HILUM_RETURN_IF_ERROR(ledger_->Append(entry));
      Log(absl::StrCat("study ", NameOf(hash), " (", ShortHash(hash), ") is ",
                       refused ? "refused" : "approved", " by ",
                       by.empty() ? "somebody of this site" : by,
                       refused ? "; the coordinator is told so" : ""));
      HILUM_RETURN_IF_ERROR(approvals_.MarkRecorded(hash, refused));
    }
  }
  return absl::OkStatus();
}

absl::Status SessionRunner::NoteIfNotTaken(const std::string& hash,
                                           const absl::Status& may) {
  if (!absl::IsFailedPrecondition(may) && !absl::IsPermissionDenied(may)) {
    return may;
  }
  v1::LedgerEntry entry;
  entry.set_kind(v1::LedgerEntry::ANSWER_REFUSED);
  entry.set_method("NextTask");
  entry.set_study_hash(ToHex(hash));
  entry.set_detail(
      absl::StrCat("a task of a study in which this site does not "
                   "take part: ",
                   may.message()));
  HILUM_RETURN_IF_ERROR(ledger_->Append(entry));
  return may;
}

absl::Status SessionRunner::NoteStrangers() {
  if (told_strangers_) return absl::OkStatus();
  const size_t strangers = approvals_.Strangers();
  if (strangers == 0) return absl::OkStatus();
  v1::LedgerEntry entry;
  entry.set_kind(v1::LedgerEntry::GATE_REFUSED);
  entry.set_method("NextTask");
  entry.set_detail(absl::StrCat(
      strangers,
      " files in the folder studies/ were not offered to this site, "
      "or were changed since; the coordinator is not told of them"));
  HILUM_RETURN_IF_ERROR(ledger_->Append(entry));
  Log(entry.detail());
  told_strangers_ = true;
  return absl::OkStatus();
}

absl::Status SessionRunner::Perform(const SiteSession::Action& action) {
  if (action.what == Do::kStoreOffer) return StoreOffer(action);
  if (action.what == Do::kPollAgain) return absl::OkStatus();
  HILUM_RETURN_IF_ERROR(
      NoteIfNotTaken(action.study_hash, OpenStudy(action.study_hash)));
  if (absl::Status fits = CheckTask(action.task); !fits.ok()) {
    HILUM_RETURN_IF_ERROR(RecordRefusal(action.task, fits));
    return fits;
  }
  // The other steps use keys that this process holds, and no cases.
  if (action.task.has_secure() &&
      (action.what == Do::kPrepare ||
       !action.task.secure().has_advertise_keys())) {
    return TakeStep(action.task);
  }
  if (action.what == Do::kPrepare || action.needs_prepare) {
    // The coordinator must not choose when the cases are read again: the
    // difference of two censuses would be the patients who came meanwhile.
    HILUM_ASSIGN_OR_RETURN(std::optional<v1::PrepareResponse> known,
                           KnownCases(action.study_hash));
    if (known.has_value() && action.what == Do::kPrepare) {
      return SubmitCensus(action.task, *known);
    }
    HILUM_ASSIGN_OR_RETURN(v1::PrepareResponse prepared,
                           Prepare(action.study_hash));
    if (action.what == Do::kPrepare) {
      HILUM_RETURN_IF_ERROR(SubmitCensus(action.task, prepared));
      Log("census given; the study waits for the other sites");
      return absl::OkStatus();
    }
  }
  if (action.task.has_secure()) return TakeStep(action.task);
  return action.what == Do::kTrain ? Train(action.task) : Evaluate(action.task);
}

absl::Status SessionRunner::StoreOffer(const SiteSession::Action& action) {
  HILUM_RETURN_IF_ERROR(approvals_.PutOffer(action.study_hash, action.study));
  Log(absl::StrCat("study ", ToHex(action.study_hash),
                   " is offered; see `hilum-site study show`, then `hilum-site "
                   "study approve` or `refuse`"));
  return absl::OkStatus();
}

}  // namespace hilum
