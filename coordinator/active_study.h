// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_ACTIVE_STUDY_H_
#define HILUM_COORDINATOR_ACTIVE_STUDY_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/aggregation/fed_avg.h"
#include "common/base/ids.h"
#include "common/config/study.h"
#include "common/model/architecture.h"
#include "common/secagg/chain.h"
#include "coordinator/storage/storage.h"
#include "coordinator/study_machine.h"
#include "coordinator/study_result.h"
#include "hilum/v1/opening.pb.h"

namespace hilum {

// One study in the coordinator's memory: what was stored of it, the machine
// that runs it and what follows from both. No I/O. Its owner locks.
class ActiveStudy {
 public:
  // INVALID_ARGUMENT: the stored bytes are no study of this version.
  // FAILED_PRECONDITION: one of before protocol 6 that has not ended, or one
  // with secure aggregation and no verifier.
  // `verifier` and `rng` are for secure aggregation, and outlive the object.
  static absl::StatusOr<ActiveStudy> Create(StoredStudy stored,
                                            const PeerVerifier* verifier,
                                            SecureRng* rng, absl::Time now);

  const StoredStudy& stored() const { return stored_; }
  StoredStudy& stored() { return stored_; }
  const v1::Study& study() const { return study_; }
  bool IsSecure() const { return hilum::IsSecure(study_); }
  // Of what a site uploads in a training round.
  VectorLayout vector_layout() const {
    return {.track_size = layout_.travelling_size,
            .num_tracks = static_cast<int>(tracks_.size()),
            .num_arms = study_.arms_size(),
            .validates = IsValidated(study_)};
  }
  StudyMachine& machine() { return machine_; }
  const StudyMachine& machine() const { return machine_; }
  bool HasSite(const SiteId& site) const;
  // Its phase is on disk.
  bool PhaseIsStored() const {
    return stored_.phase == machine_.phase() && !machine_.HasRecordToStore();
  }
  bool Ended() const { return machine_.phase() >= v1::StudyStatus::COMPLETED; }

  v1::Header MakeHeader(uint32_t round) const;
  v1::Task MakeTask(v1::Task::Kind kind, const SiteId& site) const;
  v1::StudyStatus Status() const;

  // The cohort's census, of all sites that may take part in the present round:
  // the same as long as it is open. With secure aggregation that of its sum.
  v1::CensusTotals CohortTotals() const;
  // Training cases [tracks] of the cohort.
  std::vector<uint64_t> TrackExamples() const;
  // Held-out cases [tracks] of the cohort, with secure aggregation.
  std::vector<uint64_t> HeldOut() const;
  // Stores its census or evaluation, as read off the round's masked sum, in
  // `stored`. ABORTED: no cohort can have such sums.
  absl::Status ReadSum(absl::Span<const uint32_t> sums,
                       StoredStudy& stored) const;
  // Whether its sites may fetch the blob now.
  bool IsServed(const std::string& sha256) const;
  // The state after the sum that `opening` opens: of the censuses, with its
  // words; of updates, which gave `global`.
  v1::StudyChain AfterCensus(const v1::SumOpening& opening,
                             absl::Span<const uint32_t> words) const;
  v1::StudyChain AfterTraining(const v1::SumOpening& opening,
                               const RoundSummary& round,
                               const v1::BlobRef& global) const;
  // Of the first round in which a census that comes now counts.
  uint32_t NextCensusRound() const;

  // Shape and plausibility of what a site sent. INVALID_ARGUMENT.
  absl::Status CheckCensus(const v1::SubmitCensusRequest& census) const;
  // Of the round's vector: of the census or the evaluation too, where they are
  // summed under masks.
  absl::Status CheckVector(const v1::BlobRef& vector) const;
  int64_t VectorSize() const;  // in elements
  absl::Status CheckEvaluation(
      const v1::SubmitEvaluationRequest& evaluation) const;

  // Of the round whose updates are in, with the totals of their sum; of a round
  // whose sum is lost, without.
  RoundSummary Summarise(const AggregateResult& sum) const;
  // The best global once the round, the next one, is committed.
  v1::BlobRef BestAfter(const RoundSummary& round) const;

 private:
  ChainStep StepOf(const v1::SumOpening& opening) const;

  ActiveStudy(StoredStudy stored, v1::Study study, ParameterLayout layout,
              const PeerVerifier* verifier, SecureRng* rng, absl::Time now);

  StoredStudy stored_;
  v1::Study study_;
  ParameterLayout layout_;
  std::vector<Track> tracks_;
  StudyMachine machine_;
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_ACTIVE_STUDY_H_
