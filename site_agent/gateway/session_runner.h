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

// Runs a site: carries out the decisions of its SiteSession, with the
// coordinator on one side (through the egress gate) and the trainer on the
// other. Repeats a call with growing pauses while the network is cut, and goes
// on with interrupted up- and downloads; repeats a step that met a full disk
// once there is room (CallOutcome). A task that fails otherwise is still
// answered, with an update of weight 0 or by saying that this site is unable,
// so that the other sites need not wait. In a study with secure aggregation it
// sends its figures in masked sums only. Refuses a request that would open a
// masked sum, and puts the refusal into the ledger; refuses the whole study for
// good if the request shows that the coordinator cheats. Run returns when the
// study has ended (exit_when_done), after Stop, or where it cannot go on. Call
// Run once; Stop and Wake from any thread.
class SessionRunner {
 public:
  struct Options {
    SiteId site;
    v1::SiteConfig config;    // absolute paths
    std::string patient_key;  // 32 raw bytes
    // For secure aggregation; the credentials outlive the runner. Null: this
    // site takes part in no study with secure aggregation.
    const SiteCredentials* credentials = nullptr;
    SecureRng* rng = &RealSecureRng();
    bool exit_when_done = false;
    // How long a call of the trainer lasts before this site asks for new offers
    // beside it. Unused with exit_when_done.
    absl::Duration offer_patience = absl::Seconds(10);
    std::function<void(absl::string_view)> log = [](absl::string_view) {};
  };

  // All references outlive this object. FAILED_PRECONDITION: another process
  // uses the state folder, which is locked while this object lives.
  static absl::StatusOr<std::unique_ptr<SessionRunner>> Create(
      Options options, Transport& transport, Trainer& trainer, Clock& clock);

  // OK: stopped, or the study completed. ABORTED: it ended otherwise.
  // UNAUTHENTICATED, PERMISSION_DENIED, FAILED_PRECONDITION, INVALID_ARGUMENT:
  // a fault that a person must mend first.
  absl::Status Run();
  void Stop();
  // Call after the officer may have decided something.
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

  // The state that this site keeps for one study while a round of it is open.
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
  // The round goes on without this answer; the next task says how.
  static bool IsRoundOver(const absl::Status& status) {
    return OutcomeOf(status) == CallOutcome::kRoundOver;
  }
  // Whether to repeat the step after a pause: without limit if a disk is full,
  // a few times if the step is over some limit that may change.
  bool WaitsForRoom(const absl::Status& status) const;
  // Whether a failure of this site's own may not occur again.
  bool MayPass(const absl::Status& status) const;
  void Log(absl::string_view line) const;

  // Asks once and carries out the answer. An error ends Run.
  absl::StatusOr<bool> Step();  // true: done
  absl::StatusOr<bool> End(const SiteSession::Action& action);
  // Works no more on the study until its fault may have been mended. Tells the
  // coordinator once, and only the kind of the reason (UnableReason).
  absl::StatusOr<bool> GiveUp(const SiteSession::Action& action,
                              const absl::Status& why);
  // Tells the coordinator, without waiting, which studies this site refuses.
  void TellRefusals();
  // Resumes the studies that were given up if the case manifest or the
  // officer's decision has changed since.
  void RetryMended();
  // Returns a stamp that changes when the case manifest or the decision does.
  std::string MendStamp(const std::string& hash) const;
  absl::Status Perform(const SiteSession::Action& action);
  absl::Status StoreOffer(const SiteSession::Action& action);
  // Calls the trainer; takes in offers meanwhile if the call lasts long.
  template <typename Response>
  absl::StatusOr<Response> Listening(
      absl::FunctionRef<absl::StatusOr<Response>()> call);
  // Asks once, for offers only, from another thread while Run's thread waits.
  // Returns the pause before the next question.
  absl::Duration AskForOffers(PollPace& pace);
  // Puts new decisions, and who made them, into ledger and log.
  absl::Status RecordDecisions();
  std::string NameOf(const std::string& hash) const;  // of an offered study
  // Notes once that studies/ has files that were never offered.
  absl::Status NoteStrangers();
  absl::Status OpenStudy(const std::string& hash);
  // Whether policy and officer let this site take part.
  absl::Status CheckAllowed(const std::string& hash,
                            const v1::Study& study) const;
  // Writes into the ledger that policy or consent forbids work on a study
  // (FAILED_PRECONDITION, PERMISSION_DENIED). Returns `may`.
  absl::Status NoteIfNotTaken(const std::string& hash, const absl::Status& may);
  // Checks the policy's and the officer's rules for this site's loaded cases.
  absl::Status CheckOwnCases(const std::string& hash,
                             const v1::PrepareResponse& prepared) const;
  absl::StatusOr<v1::PrepareResponse> Prepare(const std::string& hash);
  // Returns the given census in the form of the trainer's answer to Prepare, if
  // the trainer has loaded the open study's cases; none otherwise.
  absl::StatusOr<std::optional<v1::PrepareResponse>> KnownCases(
      const std::string& hash) const;
  // Submits the census. The first census of a study counts for the whole study:
  // it is kept, and given again where another one is asked for.
  absl::Status SubmitCensus(const v1::Task& task,
                            const v1::PrepareResponse& prepared);
  // Whether the policy lets the coordinator have this site's own figures.
  bool PublishesFigures() const;
  absl::Status Train(const v1::Task& task);
  // Returns the encoded update in the spool; trains first if the spool has none
  // for this task.
  absl::StatusOr<v1::BlobRef> UpdateOf(const v1::Task& task);
  // Trains, and writes the encoded update to `path`.
  absl::StatusOr<v1::BlobRef> MakeUpdate(const v1::Task& task,
                                         const std::string& path);
  // Fetches the starting weights, and checks that they are the approved ones.
  // PERMISSION_DENIED: they are not; the study is refused, with a line in the
  // ledger.
  absl::Status FetchStart(const v1::Task& task);
  // Returns the cohort's census from which the task's weights follow: from this
  // site's own sum or, without secure aggregation, as the coordinator says.
  absl::StatusOr<v1::CensusTotals> CohortOf(const v1::Task& task);
  // Returns the path of the frozen parameters, split off the starting weights
  // first if they are not here. Fails like FetchStart.
  absl::StatusOr<std::string> FrozenOf(const v1::Task& task);
  // Returns the request, which names the round's model.
  absl::StatusOr<v1::TrainRequest> MakeTrainRequest(const v1::Task& task,
                                                    const std::string& path);
  // Returns the path of the model that the task is about: this site's own or,
  // without secure aggregation, the coordinator's, if all its values are
  // finite.
  absl::StatusOr<std::string> ModelOf(const v1::Task& task);
  // Refuses the study, with a line in the ledger. Returns PERMISSION_DENIED.
  absl::Status RefuseModel(const v1::Task& task, absl::string_view why);
  // Removes the blobs that no approved study needs any more, except `more`.
  void KeepBlobs(const v1::BlobRef& more);
  // Returns the path at which a study's follower keeps its state.
  std::string ChainPath(absl::string_view hash) const;
  absl::StatusOr<std::vector<TrackShare>> SharesOf(
      const v1::Task& task, const v1::TrainResponse& trained);
  absl::StatusOr<v1::BlobRef> EncodeUpdate(const v1::Task& task,
                                           const v1::TrainResponse& trained,
                                           const std::string& path);
  // Returns the census that was given for the study in study_, if any.
  absl::StatusOr<std::optional<v1::SubmitCensusRequest>> GivenCensus() const;
  absl::Status Evaluate(const v1::Task& task);
  // Evaluates the round's model. The predictions stay at this site.
  absl::StatusOr<v1::EvaluateResponse> EvaluateModel(const v1::Task& task);
  absl::Status SubmitEvaluation(
      const v1::Task& task,
      const absl::StatusOr<v1::EvaluateResponse>& evaluated);
  std::string CensusPath() const;
  // Returns the folder of the study in study_ (results_folder.h); makes it
  // first.
  absl::StatusOr<std::string> MakeResultsFolder() const;
  Part& PartOf(const std::string& hash);
  SpooledVector& spool() { return PartOf(study_.hash).spool; }
  StudyFollower& follower() { return *PartOf(study_.hash).follower; }

  // --- Secure aggregation: session_sums.cc.
  // PERMISSION_DENIED: in a study with secure aggregation, a task that would
  // tell the coordinator this site's own figures, or a sum of another kind than
  // its round has. FAILED_PRECONDITION: a sum in a study without secure
  // aggregation.
  absl::Status CheckTask(const v1::Task& task) const;
  absl::Status TakeStep(const v1::Task& task);
  // Checks, before keys are given, that this site has followed the earlier
  // sums, may train on this cohort, and has its vector. Fails as the step is to
  // be refused.
  absl::Status MakeReady(const v1::Task& task);
  // PERMISSION_DENIED: names the rule of this site's policy that the cohort's
  // census breaks.
  absl::Status CheckCohort();
  // Logs what an officer should know of an accepted cohort.
  absl::Status TellOfCohort();
  SecurePart::Asked AskedBy(const v1::Task& task);
  // PERMISSION_DENIED: a key is not the one that the study pins.
  // FAILED_PRECONDITION: too few of the survivors are trusted by this site's
  // policy.
  absl::Status CheckKeys(const v1::Roster& roster) const;
  absl::Status CheckSurvivors(std::set<SiteId> survivors) const;
  absl::Status CheckAreOfTheCensus(const std::set<SiteId>& survivors);
  // Whether the officer accepts site_updates_inferable for the study.
  bool MayDiffer() const;
  absl::Status CheckPeers(const v1::SumOpening& opening) const;
  // Returns the vector of the round's sum, in the spool.
  absl::StatusOr<v1::BlobRef> VectorOf(const v1::Task& task);
  absl::StatusOr<v1::BlobRef> MakeCensusVector();
  absl::StatusOr<v1::BlobRef> MakeEvaluationVector(const v1::Task& task);
  // Writes the refusal into the ledger. Refuses the study with
  // PERMISSION_DENIED if the coordinator is not to be trusted with it any more.
  absl::Status RecordRefusal(const v1::Task& task, const absl::Status& why);
  // Like RecordRefusal, and leaves the sum. Fails with `why` if the study is
  // refused.
  absl::Status RefuseStep(const v1::Task& task, const absl::Status& why);
  // Call after the step's answer was sent, or came too late.
  void AfterStep(const v1::Task& task, const absl::Status& answered);

  const Options options_;
  Transport& transport_;
  Trainer& trainer_;
  Clock& clock_;
  const FolderLock folder_;  // released last
  const std::unique_ptr<Ledger> ledger_;
  const Approvals approvals_;
  const BlobCache blobs_;
  const BlobTransfer transfer_;
  EgressFacts facts_;
  EgressGate gate_;
  PollPace pace_;
  bool told_strangers_ = false;
  int perhaps_ = 0;           // pauses since the last step that went well
  std::string last_refused_;  // why an answer was refused, as logged
  std::map<std::string, std::string> given_up_;  // by hash: its MendStamp
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
