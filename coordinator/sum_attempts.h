// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_SUM_ATTEMPTS_H_
#define HILUM_COORDINATOR_SUM_ATTEMPTS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/ids.h"
#include "common/crypto/secure_rng.h"
#include "coordinator/secure_sum.h"
#include "hilum/v1/federation.pb.h"
#include "hilum/v1/opening.pb.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// Inputs for secure aggregation; the pointers outlive their users.
struct SecureSetup {
  std::string study_hash;  // 32 raw bytes
  const PeerVerifier* verifier = nullptr;
  SecureRng* rng = nullptr;  // names sums
  v1::StudyChain chain;      // after the last sum that succeeded
};

// The attempts at the masked sum of one round after the other, without I/O. A
// sum that is lost before sites reveal shares may be tried again, with another
// name. Life: StartRound, then Begin once all keys are in, Advance*, perhaps
// Repeat and Begin again; and so for each round. Not thread-safe.
class SumAttempts {
 public:
  SumAttempts(v1::Study study, SecureSetup setup)
      : study_(std::move(study)), setup_(std::move(setup)) {}

  // The state that the next sum follows from. Set it before StartRound.
  const v1::StudyChain& chain() const { return setup_.chain; }
  void SetChain(v1::StudyChain chain) { setup_.chain = std::move(chain); }

  // Makes the first attempt at the sum of a round, of one kind of task.
  void StartRound(uint32_t round, v1::Task::Kind kind);
  // Makes another attempt at the same sum.
  void Repeat();
  // Whether another attempt may be made. Attempts are limited: a site that
  // breaks off each sum must not keep the others busy for ever.
  bool MayRepeat() const;
  int attempts() const { return attempts_; }

  // The present attempt.
  const SecureSum& sum() const { return *sum_; }
  SecureSum& sum() { return *sum_; }

  // Begins the sum of all sites whose keys are in, without `refused`.
  void Begin(const std::map<SiteId, std::string>& refused, absl::Time now);
  SecureSum::State Advance(absl::Time now);
  // Checks that the site's masked vector is waited for. FAILED_PRECONDITION.
  absl::Status CheckVector(const SiteId& site) const;

  // Whether a record must be stored before sites are asked to reveal shares:
  // without it a restarted coordinator would lose the round.
  bool HasRecordToStore() const;
  void RecordStored() { record_stored_ = true; }
  // Continues the sum whose record was stored, without `refused`. DATA_LOSS: it
  // cannot continue; the attempt goes on.
  absl::Status Resume(const v1::SecureSumRecord& record,
                      const std::map<SiteId, std::string>& refused,
                      absl::Time now);

  // Notes that the present attempt is lost.
  void OnLost();
  // Returns the vectors of lost attempts, which nobody needs.
  std::map<SiteId, v1::BlobRef> TakeLostVectors() {
    return std::exchange(lost_vectors_, {});
  }

 private:
  std::unique_ptr<SecureSum> MakeSum(std::string id) const;
  // Returns the deadline of a sum with all keys: as long as the wait for keys.
  absl::Time DeadlineFrom(absl::Time begun) const;

  const v1::Study study_;
  SecureSetup setup_;
  uint32_t round_ = 0;
  v1::Task::Kind kind_ = v1::Task::KIND_UNSPECIFIED;
  std::unique_ptr<SecureSum> sum_;
  absl::Time deadline_;  // past the sum's first step
  int attempts_ = 0;     // at the sum of this round
  bool record_stored_ = false;
  std::map<SiteId, v1::BlobRef> lost_vectors_;
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_SUM_ATTEMPTS_H_
