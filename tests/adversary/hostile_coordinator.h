// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_TESTS_ADVERSARY_HOSTILE_COORDINATOR_H_
#define HILUM_TESTS_ADVERSARY_HOSTILE_COORDINATOR_H_

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/base/ids.h"
#include "common/crypto/signature.h"
#include "coordinator/federation_core.h"
#include "coordinator/federation_handler.h"
#include "hilum/v1/federation.pb.h"
#include "hilum/v1/opening.pb.h"

namespace hilum {

// The production coordinator with one change: the sites' messages go to a
// FederationCore and its answers go to the sites, and an attack changes either.
// It has the coordinator's key, so its receipts are valid.
// Hooks are called one at a time. The methods below them are for hooks, and for
// the test before the sites start and after they have ended. Thread-safe.
class HostileCoordinator : public FederationHandler {
 public:
  // All outlive this object. `state_dir`: the core's.
  HostileCoordinator(FederationCore& core, std::string state_dir,
                     const Signer& signer)
      : core_(core), state_dir_(std::move(state_dir)), signer_(signer) {}

  // Changes the answer to a site's poll, above all its task.
  std::function<void(const SiteId&, v1::NextTaskResponse&)> on_next =
      [](const SiteId&, v1::NextTaskResponse&) {};
  // Changes a site's step before the core receives it.
  std::function<void(const SiteId&, v1::SubmitSecureStepRequest&)> on_step =
      [](const SiteId&, v1::SubmitSecureStepRequest&) {};

  // Changes the receipt for a site's step.
  std::function<void(const SiteId&, v1::SubmitResponse&)> on_receipt =
      [](const SiteId&, v1::SubmitResponse&) {};

  // Serves these bytes, and returns their reference for a task.
  v1::BlobRef Serve(const std::string& bytes);
  // Serves other bytes for a blob that the core has, to one site or to all.
  void ServeInstead(const std::string& sha256, const std::string& bytes,
                    const SiteId& only = SiteId());
  // Returns the bytes of a blob that the core has.
  std::string Blob(const v1::BlobRef& blob) const;
  // Adds to the vector that a site has uploaded, on the coordinator's disk,
  // after its signature was checked. The core then publishes a forged sum, and
  // all that follows from this sum is consistent with it.
  void ForgeVector(const SiteId& site, const v1::SubmitSecureStepRequest& said,
                   const std::vector<uint32_t>& added);

  // From now on only Push answers the site's polls.
  void Hold(const SiteId& site) { held_.insert(site); }
  void Push(const SiteId& site, v1::NextTaskResponse answer);
  void Release(const SiteId& site);

  // Runs `what` from outside like a hook.
  void InHook(const std::function<void()>& what) {
    {
      absl::MutexLock lock(&mutex_);
      what();
    }
    AnswerHeld();
  }

  // A received step, before any change; in order.
  struct Said {
    SiteId site;
    v1::SubmitSecureStepRequest said;
  };
  const std::vector<Said>& said() const { return said_; }
  // Returns the site's last step of that kind in the sum; null: none.
  const v1::SubmitSecureStepRequest* SaidBy(
      const SiteId& site, v1::SubmitSecureStepRequest::SaidCase what,
      const std::string& sum_id = "") const;
  // The bytes of all uploads, by site and SHA-256.
  using Uploads = std::map<std::pair<SiteId, std::string>, std::string>;
  const Uploads& uploads() const { return uploads_; }
  const std::vector<v1::SubmitCensusRequest>& censuses() const {
    return censuses_;
  }
  // Counts the updates and evaluations that came unmasked.
  int in_the_clear() const { return in_the_clear_; }

  uint64_t StartNextTask(const SiteId& site, const v1::NextTaskRequest& request,
                         PollDone done) override;
  void CancelPoll(uint64_t poll) override;
  absl::StatusOr<v1::NextTaskResponse> NextTask(
      const SiteId& site, const v1::NextTaskRequest& request) override;
  absl::StatusOr<v1::FetchBlobResponse> FetchBlob(
      const SiteId& site, const v1::FetchBlobRequest& request) override;
  absl::StatusOr<v1::UploadChunkResponse> UploadChunk(
      const SiteId& site, const v1::UploadChunkRequest& request) override;
  absl::StatusOr<v1::SubmitResponse> SubmitCensus(
      const SiteId& site, const v1::SubmitCensusRequest& request) override;
  absl::StatusOr<v1::SubmitResponse> SubmitUpdate(
      const SiteId& site, const v1::SubmitUpdateRequest& request) override;
  absl::StatusOr<v1::SubmitResponse> SubmitEvaluation(
      const SiteId& site, const v1::SubmitEvaluationRequest& request) override;
  absl::StatusOr<v1::SubmitResponse> SubmitSecureStep(
      const SiteId& site, const v1::SubmitSecureStepRequest& request) override;

 private:
  static constexpr uint64_t kHeldPoll = uint64_t{1} << 63;

  struct HeldPoll {
    uint64_t id;
    PollDone done;
  };
  // Answers held polls. Call without the lock.
  void AnswerHeld() ABSL_LOCKS_EXCLUDED(mutex_);

  FederationCore& core_;
  const std::string state_dir_;
  const Signer& signer_;
  absl::Mutex mutex_;
  // Also guarded by mutex_; hooks use them while it is held.
  std::map<std::pair<SiteId, std::string>, std::string> served_;
  std::set<SiteId> held_;
  std::map<SiteId, HeldPoll> polls_;
  std::map<SiteId, std::deque<v1::NextTaskResponse>> pushed_;
  uint64_t next_poll_ = kHeldPoll;
  std::vector<Said> said_;
  Uploads uploads_;
  std::vector<v1::SubmitCensusRequest> censuses_;
  int in_the_clear_ = 0;
};

}  // namespace hilum

#endif  // HILUM_TESTS_ADVERSARY_HOSTILE_COORDINATOR_H_
