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

// One attempt at the masked sum of a round: the steps of a SecAggServer, the
// time when each of them closes, and the messages to and from each site.
// Another attempt is another object with another id; no I/O, no clock. Life:
// On* (keys), Begin, (On* | Leave | Touch | Advance)* until Advance returns
// kDone or kLost. Not thread-safe.
class SecureSum {
 public:
  struct Options {
    SecAggContext context;
    std::string id;  // 32 bytes, never used before
    // The sum is lost with fewer vectors; the threshold counts where it is
    // larger.
    uint32_t minimum_sites = 0;
    absl::Duration step_deadline;
  };

  enum class State {
    kOpen,
    kDone,
    kLost,  // nobody has read or can read any of it
    // Too few answers in the last step: some shares are revealed, so that sites
    // reveal no others in this round.
    kLostRevealed,
  };

  // `verifier` outlives this object.
  SecureSum(Options options, const PeerVerifier& verifier);

  const std::string& id() const { return options_.id; }
  SecAggServer::Step step() const { return server_.step(); }
  // Returns whether keys are still accepted; the owner decides until when.
  bool IsGathering() const {
    return step() == SecAggServer::Step::kAdvertiseKeys;
  }
  // Returns the sites whose answer to the present step is missing; sorted.
  std::vector<SiteId> waiting() const;
  bool Waits(const SiteId& site) const;
  // Returns whether the site's answer to the present step is in, and the site
  // has not left since.
  bool HasAnswer(const SiteId& site) const;
  v1::SecureStep StepFor(const SiteId& site) const;

  // Takes a site's answer. FAILED_PRECONDITION: another sum or step, or the
  // site is out; INVALID_ARGUMENT, UNAUTHENTICATED: see SecAggServer; the site
  // is out then. A masked vector must be checked and stored before.
  absl::Status On(const SiteId& site, const v1::SubmitSecureStepRequest& said);
  // Takes the site out of all further steps.
  void Leave(const SiteId& site);
  // Restarts the step's deadline while a site is sending its vector.
  void Touch(absl::Time now);

  // Goes on to ShareKeys with the sites whose keys are in.
  void Begin(absl::Time now);
  // Closes a step when all sites have answered, or enough of them by the step's
  // deadline. In the last step these sites have until `last`.
  State Advance(absl::Time now, absl::Time last);
  // Returns the latest time for the next call of Advance.
  absl::Time deadline() const { return wake_; }

  // Return the sites whose vectors are in the sum, and these vectors; from
  // Confirm on.
  const std::set<SiteId>& survivors() const { return server_.survivors(); }
  const std::map<SiteId, v1::BlobRef>& vectors() const { return vectors_; }
  // Returns, after kDone, all values that open the sum, except the chain and
  // the sum itself. DATA_LOSS: see SecAggServer::Open.
  absl::StatusOr<v1::SumOpening> Open() const;
  // Returns the masks to take off the sum of the survivors' vectors.
  absl::StatusOr<VectorMask> Unmask(const v1::SumOpening& opening) const;
  const SecAggContext& context() const { return options_.context; }
  const std::string& reason() const { return reason_; }  // after kLost

  // Returns all messages that bring a new object to this one's last step.
  const v1::SecureSumRecord& record() const { return record_; }
  // Brings a new object to the last step. DATA_LOSS: not a record of a sum in
  // its last step.
  absl::Status Replay(const v1::SecureSumRecord& record, absl::Time now);

 private:
  absl::Status Pass(const SiteId& site,
                    const v1::SubmitSecureStepRequest& said);
  // Returns the number of answers that close the present step at its deadline.
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
