// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_SECURE_SUM_H_
#define HILUM_COORDINATOR_SECURE_SUM_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/aggregation/ring.h"
#include "common/base/ids.h"
#include "common/secagg/context.h"
#include "common/secagg/credentials.h"
#include "common/secagg/server.h"
#include "hilum/v1/federation.pb.h"
#include "hilum/v1/totals.pb.h"

namespace hilum {

// One attempt at the masked sum of a round: the steps of a SecAggServer, when
// each of them closes, and what a site is shown and may say in it. Another
// attempt is another object with another id; no I/O, no clock.
// Life: On* (keys), Begin, (On* | Leave | Touch | Advance)* until Advance says
// kDone or kLost. Not thread-safe.
class SecureSum {
 public:
  struct Options {
    SecAggContext context;
    std::string id;  // 32 bytes, never used before
    // Of fewer vectors it is lost; the threshold where that is more.
    uint32_t minimum_sites = 0;
    absl::Duration step_deadline;
  };

  enum class State {
    kOpen,
    kDone,
    kLost,  // nothing of it was or can be read, by anybody
    // Too few of the last step's answers: some shares are out, so that sites
    // reveal no others in this round.
    kLostRevealed,
  };

  // `verifier` outlives this object.
  SecureSum(Options options, const PeerVerifier& verifier);

  const std::string& id() const { return options_.id; }
  SecAggServer::Step step() const { return server_.step(); }
  // Keys come in; until when, its owner says.
  bool IsGathering() const {
    return step() == SecAggServer::Step::kAdvertiseKeys;
  }
  // Whose answer to the present step is waited for; sorted.
  std::vector<SiteId> waiting() const;
  bool Waits(const SiteId& site) const;
  // Its answer to the present step is in, and it is not out since.
  bool HasAnswer(const SiteId& site) const;
  v1::SecureStep StepFor(const SiteId& site) const;

  // FAILED_PRECONDITION: of another sum or step, or of a site that is out;
  // INVALID_ARGUMENT, UNAUTHENTICATED: as SecAggServer; the site is out then.
  // A masked vector has been checked and is stored.
  absl::Status On(const SiteId& site, const v1::SubmitSecureStepRequest& said);
  // The site is out of all further steps.
  void Leave(const SiteId& site);
  // A site is sending its vector: the step's deadline begins anew.
  void Touch(absl::Time now);

  // Goes on to ShareKeys with the sites whose keys are in.
  void Begin(absl::Time now);
  // Closes a step that all have answered, or enough of them by the step's
  // deadline. In the last step these may take as long as `last` allows.
  State Advance(absl::Time now, absl::Time last);
  // When Advance is to be called at the latest.
  absl::Time deadline() const { return wake_; }

  // Whose vectors are in the sum, with these; from Confirm on.
  const std::set<SiteId>& survivors() const { return server_.survivors(); }
  const std::map<SiteId, v1::BlobRef>& vectors() const { return vectors_; }
  // After kDone: all that opens the sum, but for the chain and the sum itself.
  // DATA_LOSS: as SecAggServer::Open.
  absl::StatusOr<v1::SumOpening> Open() const;
  // What takes the masks off the sum of the survivors' vectors.
  absl::StatusOr<VectorMask> Unmask(const v1::SumOpening& opening) const;
  const SecAggContext& context() const { return options_.context; }
  const std::string& reason() const { return reason_; }  // after kLost

  // All that brings a new object to this one's last step.
  const v1::SecureSumRecord& record() const { return record_; }
  // Of a new object. DATA_LOSS: no record of a sum in its last step.
  absl::Status Replay(const v1::SecureSumRecord& record, absl::Time now);

 private:
  absl::Status Pass(const SiteId& site,
                    const v1::SubmitSecureStepRequest& said);
  // How many answers close the present step at its deadline.
  size_t Needed() const;
  void Close(absl::Time now);

  const Options options_;
  SecAggServer server_;
  absl::Time step_deadline_ = absl::InfiniteFuture();
  absl::Time wake_ = absl::InfiniteFuture();
  std::set<SiteId> left_;
  std::map<SiteId, v1::BlobRef> vectors_;
  v1::SecureSumRecord record_;
  bool lost_ = false;
  std::string reason_;
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_SECURE_SUM_H_
