// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_SESSION_RUNNER_H_
#define HILUM_SITE_AGENT_GATEWAY_SESSION_RUNNER_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "common/base/clock.h"
#include "common/base/folder_lock.h"
#include "common/base/ids.h"
#include "common/config/study.h"
#include "common/crypto/secure_rng.h"
#include "common/model/architecture.h"
#include "common/secagg/credentials.h"
#include "hilum/v1/config.pb.h"
#include "hilum/v1/study.pb.h"
#include "site_agent/gateway/approvals.h"
#include "site_agent/gateway/blob_cache.h"
#include "site_agent/gateway/blob_transfer.h"
#include "site_agent/gateway/call_outcome.h"
#include "site_agent/gateway/egress_facts.h"
#include "site_agent/gateway/egress_gate.h"
#include "site_agent/gateway/ledger.h"
#include "site_agent/gateway/poll_pace.h"
#include "site_agent/gateway/secure_part.h"
#include "site_agent/gateway/site_session.h"
#include "site_agent/gateway/spooled_vector.h"
#include "site_agent/gateway/study_follower.h"
#include "site_agent/gateway/transport.h"
#include "site_agent/gateway/update_file.h"
#include "site_agent/trainer/trainer.h"

namespace hilum {

// A site at work: carries out what its SiteSession decides, with the
// coordinator on one side (through the egress gate) and the trainer on the
// other. A cut network is waited out: each call is repeated with growing
// pauses, up- and downloads from where they stood. So is a full disk: what
// met it is done again once there is room. CallOutcome says which is which. A
// task that fails here otherwise is answered all the same, with an update of
// weight 0 or with the word that this site is unable, so that the others need
// not wait. In a study with secure aggregation it says what it knows into
// masked sums only. What the coordinator asks for that would open one is
// refused and put into the ledger; where it shows that the coordinator cheats,
// the study is refused for good. Run returns when the study has ended
// (exit_when_done), on Stop, or where going on makes no sense. Run is called
// once; Stop and Wake from any thread.
class SessionRunner {
 public:
  struct Options {
    SiteId site;
    v1::SiteConfig config;    // absolute paths
    std::string patient_key;  // 32 raw bytes
    // For secure aggregation; what it points to outlives the runner. Without,
    // this site takes part in no study that has it.
    const SiteCredentials* credentials = nullptr;
    SecureRng* rng = &RealSecureRng();
    bool exit_when_done = false;
    // How long the trainer has been at work before new offers are asked for
    // meanwhile. With exit_when_done none are.
    absl::Duration offer_patience = absl::Seconds(10);
    std::function<void(absl::string_view)> log = [](absl::string_view) {};
  };

  // All references outlive this object. FAILED_PRECONDITION: another one has
  // the state folder, which is locked while this object lives.
  static absl::StatusOr<std::unique_ptr<SessionRunner>> Create(
      Options options, Transport& transport, Trainer& trainer, Clock& clock);

  // OK: stopped, or the study completed. ABORTED: it ended otherwise.
  // UNAUTHENTICATED, PERMISSION_DENIED, FAILED_PRECONDITION,
  // INVALID_ARGUMENT: what someone must mend first.
  absl::Status Run();
  void Stop();
  // The officer may have decided something.
  void Wake() { transport_.Interrupt(); }

 private:
  static constexpr absl::Duration kCallTimeout = absl::Minutes(2);
  static constexpr absl::Duration kFirstPause = absl::Milliseconds(200);

  struct Study {
    std::string hash;  // raw; empty: none
    v1::Study study;
    std::vector<Track> tracks;
    VectorLayout layout;
    ParameterLayout parameters;
  };

  // What of an open round this site holds on to, of one study.
  struct Part {
    SpooledVector spool;
    SecurePart secure;
    std::unique_ptr<StudyFollower> follower;  // null before the first task
  };

  SessionRunner(Options options, Transport& transport, Trainer& trainer,
                Clock& clock, FolderLock folder, std::unique_ptr<Ledger> ledger,
                Approvals approvals, BlobCache blobs);

  // Repeats while the coordinator cannot be reached. CANCELLED: stopped.
  absl::Status Call(absl::string_view method,
                    const google::protobuf::Message& request,
                    google::protobuf::Message* response,
                    absl::Duration timeout);
  // False: stopped meanwhile.
  bool Pause(absl::Duration pause);
  bool stopped();
  // The round went on without this answer; the next task says how.
  static bool IsRoundOver(const absl::Status& status) {
    return OutcomeOf(status) == CallOutcome::kRoundOver;
  }
  // What to do is done again after a pause: a disk is full, for ever, or some
  // limit is met that may be another one later, a few times.
  bool WaitsForRoom(const absl::Status& status) const;
  // A failure of this site's own that need not come again.
  bool MayPass(const absl::Status& status) const;
  void Log(absl::string_view line) const;

  // One question and what follows. A status ends Run.
  absl::StatusOr<bool> Step();  // true: done
  absl::StatusOr<bool> End(const SiteSession::Action& action);
  // Until what is wrong may have been mended; the coordinator is told once, and
  // of why no more than its kind (UnableReason).
  absl::StatusOr<bool> GiveUp(const SiteSession::Action& action,
                              const absl::Status& why);
  // Tells the coordinator, without waiting, which studies this site refuses.
  void TellRefusals();
  // Turns to the studies that were given up where the case manifest or the
  // officer's decision has changed since.
  void RetryMended();
  // Changes when either does.
  std::string MendStamp(const std::string& hash) const;
  absl::Status Perform(const SiteSession::Action& action);
  absl::Status StoreOffer(const SiteSession::Action& action);
  // Calls the trainer, and takes offers meanwhile where that lasts.
  template <typename Response>
  absl::StatusOr<Response> Listening(
      absl::FunctionRef<absl::StatusOr<Response>()> call);
  // One question for offers alone, from a thread beside that of Run, which
  // waits. Returns the pause before the next one.
  absl::Duration AskForOffers(PollPace& pace);
  // Puts new decisions into ledger and log, with who made them.
  absl::Status RecordDecisions();
  std::string NameOf(const std::string& hash) const;  // of an offered study
  // Says once that files lie among the offers which were not offered.
  absl::Status NoteStrangers();
  absl::Status OpenStudy(const std::string& hash);
  // Whether policy and officer let this site take part.
  absl::Status CheckAllowed(const std::string& hash,
                            const v1::Study& study) const;
  // Writes into the ledger that a study is not worked on since policy or
  // consent forbid it (FAILED_PRECONDITION, PERMISSION_DENIED). Returns `may`.
  absl::Status NoteIfNotTaken(const std::string& hash, const absl::Status& may);
  // The rules for this site's own cases, once they are loaded.
  absl::Status CheckOwnCases(const std::string& hash,
                             const v1::PrepareResponse& prepared) const;
  absl::StatusOr<v1::PrepareResponse> Prepare(const std::string& hash);
  // What the trainer has loaded for the open study, if that is so and its
  // census was given.
  absl::StatusOr<std::optional<v1::PrepareResponse>> KnownCases(
      const std::string& hash) const;
  // A study's first census counts, for the cohort as for this site: it is
  // kept, and given again where another is asked for.
  absl::Status SubmitCensus(const v1::Task& task,
                            const v1::PrepareResponse& prepared);
  // What a site may not know of another: how many cases it has.
  bool PublishesFigures() const;
  absl::Status Train(const v1::Task& task);
  // The encoded update in the spool: what was made for this very task, or else
  // of a training of its own.
  absl::StatusOr<v1::BlobRef> UpdateOf(const v1::Task& task);
  // Trains; the encoded update is then at `path`.
  absl::StatusOr<v1::BlobRef> MakeUpdate(const v1::Task& task,
                                         const std::string& path);
  // Starting weights are here, and are the approved ones. PERMISSION_DENIED:
  // they are not; the study is refused, which is in the ledger.
  absl::Status FetchStart(const v1::Task& task);
  // The cohort's census that the task's weights follow from: this site's own
  // sum of it or, without secure aggregation, as it is told.
  absl::StatusOr<v1::CensusTotals> CohortOf(const v1::Task& task);
  // The path of the frozen parameters, which are cut first where they are not
  // here. Fails as FetchStart.
  absl::StatusOr<std::string> FrozenOf(const v1::Task& task);
  // With the round's model.
  absl::StatusOr<v1::TrainRequest> MakeTrainRequest(const v1::Task& task,
                                                    const std::string& path);
  // The path of the model that the task is about: this site's own or, without
  // secure aggregation, the coordinator's, if that is finite.
  absl::StatusOr<std::string> ModelOf(const v1::Task& task);
  // Refuses the study, which is in the ledger. PERMISSION_DENIED.
  absl::Status RefuseModel(const v1::Task& task, absl::string_view why);
  // Drops what no approved study needs any more.
  void KeepBlobs(const v1::BlobRef& more);
  // Where a study's follower keeps its state.
  std::string ChainPath(absl::string_view hash) const;
  absl::StatusOr<std::vector<TrackShare>> SharesOf(
      const v1::Task& task, const v1::TrainResponse& trained);
  absl::StatusOr<v1::BlobRef> EncodeUpdate(const v1::Task& task,
                                           const v1::TrainResponse& trained,
                                           const std::string& path);
  // The census that was given for the study in study_, if any was.
  absl::StatusOr<std::optional<v1::SubmitCensusRequest>> GivenCensus() const;
  absl::Status Evaluate(const v1::Task& task);
  // What evaluates the round's model; the predictions stay.
  absl::StatusOr<v1::EvaluateResponse> EvaluateModel(const v1::Task& task);
  absl::Status SubmitEvaluation(
      const v1::Task& task,
      const absl::StatusOr<v1::EvaluateResponse>& evaluated);
  std::string CensusPath() const;
  // The folder of the study in study_ (results_folder.h), made where absent.
  absl::StatusOr<std::string> MakeResultsFolder() const;
  Part& PartOf(const std::string& hash);
  SpooledVector& spool() { return PartOf(study_.hash).spool; }
  StudyFollower& follower() { return *PartOf(study_.hash).follower; }

  // --- Secure aggregation: session_sums.cc.
  // PERMISSION_DENIED: of a study with secure aggregation, a task that would
  // tell the coordinator this site's own figures, or a sum in a round that is
  // not of its kind. FAILED_PRECONDITION: a sum, of a study without.
  absl::Status CheckTask(const v1::Task& task) const;
  absl::Status TakeStep(const v1::Task& task);
  // Before keys are given: this site has followed the sums before, may train on
  // such a cohort, and has its vector. Fails as the step is to be refused.
  absl::Status MakeReady(const v1::Task& task);
  // PERMISSION_DENIED names the rule of this site's policy that the cohort's
  // census does not keep to.
  absl::Status CheckCohort();
  // Says in the log what an officer should know of a cohort that is accepted.
  absl::Status TellOfCohort();
  SecurePart::Asked AskedBy(const v1::Task& task);
  // PERMISSION_DENIED: a key that is not the one the study pins. Survivors
  // among whom are too few that this site's policy trusts: FAILED_PRECONDITION.
  absl::Status CheckKeys(const v1::Roster& roster) const;
  absl::Status CheckSurvivors(std::set<SiteId> survivors) const;
  absl::Status CheckAreOfTheCensus(const std::set<SiteId>& survivors);
  // Whether the officer accepts site_updates_inferable for the study.
  bool MayDiffer() const;
  absl::Status CheckPeers(const v1::SumOpening& opening) const;
  // In the spool: what the round's sum is over.
  absl::StatusOr<v1::BlobRef> VectorOf(const v1::Task& task);
  absl::StatusOr<v1::BlobRef> MakeCensusVector();
  absl::StatusOr<v1::BlobRef> MakeEvaluationVector(const v1::Task& task);
  // Writes it into the ledger; refuses the study where the coordinator is not
  // to be trusted with it any more, by PERMISSION_DENIED.
  absl::Status RecordRefusal(const v1::Task& task, const absl::Status& why);
  // The same, and leaves the sum. Fails with `why` where the study is refused.
  absl::Status RefuseStep(const v1::Task& task, const absl::Status& why);
  // The step's answer has gone, or came too late.
  void AfterStep(const v1::Task& task, const absl::Status& answered);

  const Options options_;
  Transport& transport_;
  Trainer& trainer_;
  Clock& clock_;
  const FolderLock folder_;  // let go last
  const std::unique_ptr<Ledger> ledger_;
  const Approvals approvals_;
  const BlobCache blobs_;
  const BlobTransfer transfer_;
  EgressFacts facts_;
  EgressGate gate_;
  PollPace pace_;
  bool told_strangers_ = false;
  int perhaps_ = 0;           // pauses since the last step that went well
  std::string last_refused_;  // why an answer was, as it was logged
  std::map<std::string, std::string> given_up_;  // by hash: MendStamp then
  SiteSession session_;
  // By hash: the coordinator may turn from one study to another at any time.
  std::map<std::string, std::unique_ptr<Part>> parts_;
  Study study_;

  absl::Mutex mutex_;
  absl::CondVar changed_;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_SESSION_RUNNER_H_
