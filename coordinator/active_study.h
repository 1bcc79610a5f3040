// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_ACTIVE_STUDY_H_
#define HILUM_COORDINATOR_ACTIVE_STUDY_H_

#include <map>
#include <optional>
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
#include "coordinator/round_models.h"
#include "coordinator/storage/storage.h"
#include "coordinator/study_machine.h"
#include "coordinator/study_result.h"
#include "hilum/v1/opening.pb.h"

namespace hilum {

// Returns the censuses that sites gave.
std::map<SiteId, v1::SubmitCensusRequest> GivenCensuses(
    const StoredStudy& stored);

// One study in memory: its stored data, the machine that runs it and values
// derived from both. No I/O. The owner locks.
class ActiveStudy {
 public:
  // `verifier` and `rng` are for secure aggregation, and outlive the object.
  // INVALID_ARGUMENT: the stored bytes are no study of this version.
  // FAILED_PRECONDITION: a study from before protocol 7 that has not ended, or
  // one with secure aggregation and no verifier.
  static absl::StatusOr<ActiveStudy> Create(StoredStudy stored,
                                            const PeerVerifier* verifier,
                                            SecureRng* rng, absl::Time now);

  const StoredStudy& stored() const { return stored_; }
  StoredStudy& stored() { return stored_; }
  const v1::Study& study() const { return study_; }
  bool IsSecure() const { return hilum::IsSecure(study_); }
  // Returns the layout of the vectors that sites upload in a training round.
  VectorLayout vector_layout() const {
    return {.track_size = layout_.travelling_size,
            .num_tracks = static_cast<int>(tracks_.size()),
            .num_arms = study_.arms_size(),
            .validates = IsValidated(study_)};
  }
  StudyMachine& machine() { return machine_; }
  const StudyMachine& machine() const { return machine_; }
  bool HasSite(const SiteId& site) const;
  // Returns whether the phase is on disk.
  bool PhaseIsStored() const {
    return stored_.phase == machine_.phase() && !machine_.HasRecordToStore();
  }
  bool Ended() const { return machine_.phase() >= v1::StudyStatus::COMPLETED; }

  v1::Header MakeHeader(uint32_t round) const;
  v1::Task MakeTask(v1::Task::Kind kind, const SiteId& site) const;
  v1::StudyStatus Status() const;

  // Returns the census of all sites that may take part in the present round; it
  // does not change while the round is open. With secure aggregation, the sum
  // of the censuses.
  v1::CensusTotals CohortTotals() const;
  // Returns the training cases [tracks] of the cohort; 0 for a track that has
  // stopped.
  std::vector<uint64_t> TrackExamples() const;
  // Returns the held-out cases [tracks] of the cohort, with secure aggregation.
  std::vector<uint64_t> HeldOut() const;
  // Decodes the round's masked sum into the census or evaluation of `stored`.
  // ABORTED: no cohort can have such sums.
  absl::Status ReadSum(absl::Span<const uint32_t> sums,
                       StoredStudy& stored) const;
  // Returns the options of the server's optimiser in the present round, without
  // paths; nothing where the study has none.
  std::optional<ServerOptions> Server() const {
    return ServerOptionsOf(study_, layout_, machine_.round());
  }
  // Returns whether the study's sites may fetch the blob now.
  bool IsServed(const std::string& sha256) const;
  // Return the state after the sum that `opening` opens: a sum of censuses,
  // with its words; or a sum of updates, which gave `models`.
  v1::StudyChain AfterCensus(const v1::SumOpening& opening,
                             absl::Span<const uint32_t> words) const;
  v1::StudyChain AfterTraining(const v1::SumOpening& opening,
                               const RoundModels& models) const;
  // Returns the first round in which a census that comes now counts.
  uint32_t NextCensusRound() const;

  // Checks shape and plausibility of a site's message. INVALID_ARGUMENT.
  absl::Status CheckCensus(const v1::SubmitCensusRequest& census) const;
  // Checks the round's vector; with secure aggregation a census or an
  // evaluation is a vector too.
  absl::Status CheckVector(const v1::BlobRef& vector) const;
  int64_t VectorSize() const;  // elements
  absl::Status CheckEvaluation(
      const v1::SubmitEvaluationRequest& evaluation) const;

  // Summarises the round whose updates are in, with the totals of their sum;
  // and a round whose sum is lost, without totals.
  RoundSummary Summarise(const AggregateResult& sum) const;
  // Returns the models after the committed rounds.
  RoundModels Models() const;
  // Returns the names of the tracks that stopped between these choices.
  std::vector<std::string> StoppedBetween(const TrackChoices& before,
                                          const TrackChoices& after) const;
  // Returns whether no training round follows the committed ones.
  bool TrainingIsOver() const;

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
