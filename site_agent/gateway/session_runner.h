// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_SESSION_RUNNER_H_
#define HILUM_SITE_AGENT_GATEWAY_SESSION_RUNNER_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/folder_lock.h"
#include "site_agent/gateway/approvals.h"
#include "site_agent/gateway/blob_cache.h"
#include "site_agent/gateway/blob_transfer.h"
#include "site_agent/gateway/call_outcome.h"
#include "site_agent/gateway/coordinator_calls.h"
#include "site_agent/gateway/egress_facts.h"
#include "site_agent/gateway/egress_gate.h"
#include "site_agent/gateway/given_up.h"
#include "site_agent/gateway/ledger.h"
#include "site_agent/gateway/offers.h"
#include "site_agent/gateway/poll_pace.h"
#include "site_agent/gateway/refusals.h"
#include "site_agent/gateway/site_options.h"
#include "site_agent/gateway/site_parts.h"
#include "site_agent/gateway/site_session.h"
#include "site_agent/gateway/site_tasks.h"
#include "site_agent/gateway/study_at_site.h"
#include "site_agent/gateway/sum_steps.h"
#include "site_agent/gateway/transport.h"
#include "site_agent/trainer/trainer.h"

namespace hilum {

// Runs a site: asks the coordinator for tasks and carries out the decisions of
// its SiteSession, with the coordinator on one side (through the egress gate)
// and the trainer on the other. Repeats a step that met a full disk once there
// is room, and goes on after other failures (CallOutcome). Run returns when the
// study has ended (exit_when_done), after Stop, or where it cannot go on. Call
// Run once; Stop and Wake from any thread.
// SiteTasks has the tasks, SumSteps the steps of a masked sum, Offers the
// studies that are offered, StudyAtSite the state of one study.
class SessionRunner {
 public:
  using Options = SiteOptions;

  // All references outlive this object. FAILED_PRECONDITION: another process
  // uses the state folder, which is locked while this object lives.
  static absl::StatusOr<std::unique_ptr<SessionRunner>> Create(
      Options options, Transport& transport, Trainer& trainer, Clock& clock);

  // OK: stopped, or the study completed. ABORTED: it ended otherwise.
  // UNAUTHENTICATED, PERMISSION_DENIED, FAILED_PRECONDITION, INVALID_ARGUMENT:
  // a fault that a person must mend first.
  absl::Status Run();
  void Stop() { calls_.Stop(); }
  // Call after the officer may have decided something.
  void Wake() { calls_.Interrupt(); }

 private:
  SessionRunner(Options options, Transport& transport, Trainer& trainer,
                Clock& clock, FolderLock folder, std::unique_ptr<Ledger> ledger,
                Approvals approvals, BlobCache blobs);

  // Asks once and carries out the answer. An error ends Run.
  absl::StatusOr<bool> Step();  // true: done
  absl::StatusOr<bool> End(const SiteSession::Action& action);
  // Works no more on the study until its fault may have been mended. Tells the
  // coordinator once, and only the kind of the reason (UnableReason).
  absl::StatusOr<bool> GiveUp(const SiteSession::Action& action,
                              const absl::Status& why);
  // Resumes the studies that were given up and may have been mended since.
  void RetryMended();
  absl::Status Perform(const SiteSession::Action& action);

  const Options options_;
  const SiteLog log_;
  const FolderLock folder_;  // released after all that write to the folder
  const std::unique_ptr<Ledger> ledger_;
  const Approvals approvals_;
  const BlobCache blobs_;
  EgressFacts facts_;
  EgressGate gate_;
  CoordinatorCalls calls_;
  const BlobTransfer transfer_;
  SiteSession session_;
  StepPatience patience_;
  Refusals refusals_;
  const SiteParts parts_;
  SiteStudies studies_;
  Offers offers_;
  SiteTasks tasks_;
  SumSteps sums_;
  PollPace pace_;
  std::string last_refused_;  // why an answer was refused, as logged
  GivenUpStudies given_up_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_SESSION_RUNNER_H_
