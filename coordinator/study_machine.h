// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_STUDY_MACHINE_H_
#define HILUM_COORDINATOR_STUDY_MACHINE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/ids.h"
#include "common/crypto/secure_rng.h"
#include "coordinator/round.h"
#include "coordinator/secure_sum.h"
#include "hilum/v1/admin.pb.h"
#include "hilum/v1/federation.pb.h"
#include "hilum/v1/opening.pb.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// The life of one study, without I/O: round 0 prepares (census), rounds
// 1 .. R train, round R + 1 evaluates, which it does sooner where validation
// has ended the training. What sites send and what time it is go in; what each
// site should do, and what the owner should do, come out. All sites of a
// training round know the same cohort, from which their weights follow: a site
// whose first census comes while one is open is in from the next round on.
// Preparation waits until its deadline for sites that say that they are unable:
// they may mend what is wrong. Later rounds do not wait for them.
// Life: Accept* | Refuse* | Next, and after kAggregate Committed; until
// phase() is COMPLETED or STOPPED. Not thread-safe.
class StudyMachine {
 public:
  using Phase = v1::StudyStatus::Phase;

  // What the owner must do after a call.
  enum class Command {
    kNone,
    kAggregate,  // or, where SumIsLost(), record that; then Committed()
    kEnded,      // the study has just completed or stopped
  };

  // What secure aggregation takes; what is pointed to outlives the machine.
  struct SecureSetup {
    std::string study_hash;  // 32 raw bytes
    const PeerVerifier* verifier = nullptr;
    SecureRng* rng = nullptr;  // names sums
    v1::StudyChain chain;      // after the last sum that came about
  };

  // Where a study stands when its process starts: all from storage.
  struct Progress {
    uint32_t committed_rounds = 0;
    int lost_rounds = 0;  // the last ones of these, in a row
    std::set<SiteId> census;
    std::set<SiteId> withdrawn;  // among those with a census
    std::set<SiteId> joining;    // likewise: in from the round after this one
    std::set<SiteId> updates;    // of the round after the last committed one
    std::set<SiteId> evaluations;
    bool prepared = false;  // round 0 has closed
    bool trained = false;   // no training round comes after the committed ones
    // With secure aggregation, `census` is of the sites in its sum once it is
    // prepared, and neither updates nor evaluations are known.
    bool evaluated = false;  // the sum of the evaluations is in
  };

  // `setup` is used where the study has secure aggregation.
  StudyMachine(const v1::Study& study, const Progress& progress,
               const SecureSetup& setup, absl::Time now);

  Phase phase() const { return phase_; }
  uint32_t round() const { return round_.number(); }
  const std::string& reason() const { return reason_; }
  absl::Time deadline() const;
  std::vector<SiteId> waiting() const;
  // Whose vectors, or census or evaluation, the round is made of.
  const std::set<SiteId>& answered() const;

  // Its census is in, and it is neither withdrawn nor excluded.
  bool IsPrepared(const SiteId& site) const;

  // KIND_UNSPECIFIED: wait.
  v1::Task::Kind TaskFor(const SiteId& site) const;

  // Is an unmasked answer of this kind and round welcome? FAILED_PRECONDITION:
  // the round is over or not yet open. PERMISSION_DENIED: not of the cohort, or
  // out of the study.
  absl::Status Check(const SiteId& site, v1::Task::Kind kind,
                     uint32_t round) const;

  // After Check. The answer is stored.
  void Accept(const SiteId& site);
  // The answer was bad: the site is out of this round only.
  void Refuse(const SiteId& site, std::string reason);
  // The site cannot work on the study until its census comes (again): no
  // round but the preparation waits for it. `why`: for the operator.
  void Withdraw(const SiteId& site, std::string why = "");
  // Sites that are withdrawn, with why as far as it is known.
  const std::map<SiteId, std::string>& withdrawn() const { return withdrawn_; }
  // The site is out of the study: it declined, or trains another network.
  void Exclude(const SiteId& site, std::string reason);
  void Stop(std::string reason);
  void Complete() { phase_ = v1::StudyStatus::COMPLETED; }  // was, when stored
  // Why the site is out of the study; null: it is not.
  const std::string* ExclusionOf(const SiteId& site) const;

  // Moves on as far as answers and time allow.
  Command Next(absl::Time now);
  // The aggregate of the closed round is stored. `trained`: of a training round
  // after which none comes, by coordinator/validation.h.
  void Committed(absl::Time now, bool trained = false);

  // --- Secure aggregation.
  // The sum of the present round; null: none, the study is without.
  const SecureSum* sum() const { return sum_.get(); }
  // What the next sum follows from. Set it before Committed().
  const v1::StudyChain& chain() const { return setup_.chain; }
  void SetChain(v1::StudyChain chain) { setup_.chain = std::move(chain); }
  // As Check, of a step's answer. Which step and sum, OnStep sees.
  absl::Status CheckStep(const SiteId& site, uint32_t round) const;
  // As CheckStep, of a piece of the site's masked vector.
  absl::Status CheckVector(const SiteId& site, uint32_t round) const;
  // After CheckStep; fails as SecureSum::On.
  absl::Status OnStep(const SiteId& site,
                      const v1::SubmitSecureStepRequest& said);
  void OnVectorPiece(absl::Time now) { sum_->Touch(now); }

  // What must be on disk before sites are asked to reveal anything: else a
  // coordinator that is ended then would lose the round.
  bool HasRecordToStore() const;
  void RecordStored() { record_stored_ = true; }
  // The sum whose record was stored goes on. DATA_LOSS: it cannot; a new
  // one begins.
  absl::Status Resume(const v1::SecureSumRecord& record, absl::Time now);

  // The closed round has no sum, and why.
  bool SumIsLost() const { return !loss_.empty(); }
  const std::string& loss() const { return loss_; }
  // After kAggregate: the owner has found that shares were wrong. SumIsLost(),
  // or too many rounds have ended so and the study has stopped.
  void LoseSum(std::string why) { GiveUpRound(std::move(why)); }
  // Vectors of attempts that were lost: of no use to anybody.
  std::map<SiteId, v1::BlobRef> TakeLostVectors() {
    return std::exchange(lost_vectors_, {});
  }

 private:
  Round MakeRound(uint32_t number, absl::Time deadline) const;
  void StartRound(uint32_t number, absl::Time now);
  Command CloseRound(absl::Time now);
  std::vector<SiteId> WithCensus() const;
  // In a task of the present phase.
  v1::Task::Kind KindOfPhase() const;
  absl::Status CheckMember(const SiteId& site) const;
  absl::Status CheckOpen(const SiteId& site, uint32_t round) const;

  std::unique_ptr<SecureSum> MakeSum(std::string id) const;
  void StartSum();
  Command BeginSum(absl::Time now);
  // Of a sum that all keys are in for: it has as long as they had.
  absl::Time SumDeadline(absl::Time begun) const;
  Command AdvanceSum(absl::Time now);
  Command TryAgain(absl::Time now);
  Command GiveUpRound(std::string why);
  void AcceptCensus(const SiteId& site);
  // The preparation's deadline has passed without them.
  void RefuseWithdrawn();
  void CloseCohort();

  v1::Study study_;
  SecureSetup setup_;
  std::set<SiteId> census_;
  std::map<SiteId, std::string> withdrawn_;
  std::set<SiteId> joining_;
  std::map<SiteId, std::string> excluded_;
  Round round_;
  Phase phase_;
  bool aggregating_ = false;
  std::string reason_;

  std::unique_ptr<SecureSum> sum_;  // null without secure aggregation
  absl::Time sum_deadline_;         // past its first step
  int attempts_ = 0;                // at the sum of this round
  int lost_rounds_ = 0;             // one after the other, up to this one
  bool record_stored_ = false;
  std::string loss_;
  std::map<SiteId, v1::BlobRef> lost_vectors_;
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_STUDY_MACHINE_H_
