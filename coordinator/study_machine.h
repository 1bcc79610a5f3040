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
#include "coordinator/round.h"
#include "coordinator/sum_attempts.h"
#include "hilum/v1/admin.pb.h"
#include "hilum/v1/federation.pb.h"
#include "hilum/v1/opening.pb.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// The life of one study, without I/O: round 0 prepares (census), rounds 1 .. R
// train, round R + 1 evaluates; the evaluation comes sooner where validation
// has ended the training. Inputs are the sites' messages and the time; outputs
// are each site's task and the owner's command. All sites of a training round
// know the same cohort, which decides their weights: a site whose first census
// comes during a round joins in the next one. Preparation waits until its
// deadline for sites that report that they are unable: they may repair the
// cause. Later rounds do not wait for them.
// Life: Accept* | Refuse* | Next, and after kAggregate Committed; until phase()
// is COMPLETED or STOPPED. Not thread-safe.
class StudyMachine {
 public:
  using Phase = v1::StudyStatus::Phase;

  // The owner's task after a call.
  enum class Command {
    kNone,
    kAggregate,  // or, where SumIsLost(), record that; then Committed()
    kEnded,      // the study has just completed or stopped
  };

  // A study's state when its process starts, all from storage.
  struct Progress {
    uint32_t committed_rounds = 0;
    int lost_rounds = 0;  // how many of the last rounds, in a row
    std::set<SiteId> census;
    // Among those with a census; each with its reason, for the operator.
    std::map<SiteId, std::string> withdrawn;
    std::set<SiteId> joining;  // with a census; in from the next round on
    std::set<SiteId> updates;  // of the round after the last committed one
    std::set<SiteId> evaluations;
    bool prepared = false;  // round 0 has closed
    bool trained = false;   // no training round comes after the committed ones
    // Secure aggregation: `census` covers the sites in its sum once the study
    // is prepared, and updates and evaluations are unknown.
    bool evaluated = false;  // the sum of the evaluations is in
  };

  // `setup` is used only where the study has secure aggregation.
  StudyMachine(const v1::Study& study, const Progress& progress,
               const SecureSetup& setup, absl::Time now);

  Phase phase() const { return phase_; }
  uint32_t round() const { return round_.number(); }
  const std::string& reason() const { return reason_; }
  absl::Time deadline() const;
  std::vector<SiteId> waiting() const;
  // Returns the sites whose vectors, censuses or evaluations make up the round.
  const std::set<SiteId>& answered() const;

  // Returns whether the site's census is in, and it is neither withdrawn nor
  // excluded.
  bool IsPrepared(const SiteId& site) const;

  // Returns the site's task. KIND_UNSPECIFIED: wait.
  v1::Task::Kind TaskFor(const SiteId& site) const;

  // Checks that an unmasked answer of this kind and round is expected.
  // FAILED_PRECONDITION: the round is over or not yet open. PERMISSION_DENIED:
  // the site is not in the cohort, or out of the study.
  absl::Status Check(const SiteId& site, v1::Task::Kind kind,
                     uint32_t round) const;

  // Accepts an answer that is stored. Call after Check.
  void Accept(const SiteId& site);
  // Refuses a bad answer: the site is out of this round only.
  void Refuse(const SiteId& site, std::string reason);
  // Marks the site as unable to work on the study until its next census: no
  // round but the preparation waits for it. `why`: for the operator.
  void Withdraw(const SiteId& site, std::string why = "");
  // Returns the withdrawn sites, with the reason as far as it is known.
  const std::map<SiteId, std::string>& withdrawn() const { return withdrawn_; }
  // Takes the site out of the study: it declined, or trains another network.
  void Exclude(const SiteId& site, std::string reason);
  void Stop(std::string reason);
  void Complete() { phase_ = v1::StudyStatus::COMPLETED; }  // was, when stored
  // Returns why the site is out of the study; null: it is not.
  const std::string* ExclusionOf(const SiteId& site) const;

  // Moves on as far as answers and time allow.
  Command Next(absl::Time now);
  // Call when the aggregate of the closed round is stored. `trained`: no
  // training round follows this one (coordinator/validation.h).
  void Committed(absl::Time now, bool trained = false);

  // --- Secure aggregation.
  // Returns the present round's sum; null: none, or the study has none.
  const SecureSum* sum() const {
    return sums_ == nullptr ? nullptr : &sums_->sum();
  }
  // Only with secure aggregation: the state that the next sum follows from. Set
  // it before Committed().
  const v1::StudyChain& chain() const { return sums_->chain(); }
  void SetChain(v1::StudyChain chain) { sums_->SetChain(std::move(chain)); }
  // Checks an answer to a step as Check does; OnStep checks step and sum.
  absl::Status CheckStep(const SiteId& site, uint32_t round) const;
  // Checks a piece of the site's masked vector as CheckStep does.
  absl::Status CheckVector(const SiteId& site, uint32_t round) const;
  // Call after CheckStep; errors: see SecureSum::On.
  absl::Status OnStep(const SiteId& site,
                      const v1::SubmitSecureStepRequest& said);
  void OnVectorPiece(absl::Time now) { sums_->sum().Touch(now); }

  // See SumAttempts.
  bool HasRecordToStore() const {
    return sums_ != nullptr && sums_->HasRecordToStore();
  }
  void RecordStored() { sums_->RecordStored(); }
  // Continues the sum whose record was stored. DATA_LOSS: it cannot continue; a
  // new one begins.
  absl::Status Resume(const v1::SecureSumRecord& record, absl::Time now);

  // Returns whether the closed round has no sum, and why.
  bool SumIsLost() const { return !loss_.empty(); }
  const std::string& loss() const { return loss_; }
  // Call after kAggregate, if the owner has found wrong shares. Then
  // SumIsLost(), or too many rounds have ended so and the study has stopped.
  void LoseSum(std::string why) { GiveUpRound(std::move(why)); }
  // Returns the vectors of lost attempts, which nobody needs.
  std::map<SiteId, v1::BlobRef> TakeLostVectors() {
    return sums_ == nullptr ? std::map<SiteId, v1::BlobRef>()
                            : sums_->TakeLostVectors();
  }

 private:
  Round MakeRound(uint32_t number, absl::Time deadline) const;
  void StartRound(uint32_t number, absl::Time now);
  Command CloseRound(absl::Time now);
  std::vector<SiteId> WithCensus() const;
  // Returns the kind of task in the present phase.
  v1::Task::Kind KindOfPhase() const;
  absl::Status CheckMember(const SiteId& site) const;
  absl::Status CheckOpen(const SiteId& site, uint32_t round) const;

  Command BeginSum(absl::Time now);
  Command AdvanceSum(absl::Time now);
  Command TryAgain(absl::Time now);
  Command GiveUpRound(std::string why);
  void AcceptCensus(const SiteId& site);
  // Refuses withdrawn sites when the preparation's deadline has passed.
  void RefuseWithdrawn();
  void CloseCohort();

  v1::Study study_;
  std::set<SiteId> census_;
  std::map<SiteId, std::string> withdrawn_;
  std::set<SiteId> joining_;
  std::map<SiteId, std::string> excluded_;
  Round round_;
  Phase phase_;
  bool aggregating_ = false;
  std::string reason_;

  std::unique_ptr<SumAttempts> sums_;  // null without secure aggregation
  int lost_rounds_ = 0;                // in a row, up to this one
  std::string loss_;
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_STUDY_MACHINE_H_
