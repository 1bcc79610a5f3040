// SPDX-License-Identifier: Apache-2.0
#include "coordinator/active_study.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/aggregation/statistics_vector.h"
#include "common/base/status_macros.h"
#include "common/config/census.h"
#include "common/config/cohort_rules.h"
#include "common/config/evaluation.h"
#include "common/crypto/short_hash.h"
#include "common/secagg/chain.h"
#include "common/secagg/opening.h"
#include "coordinator/trained_tracks.h"
#include "coordinator/unable_sites.h"
#include "coordinator/validation.h"

namespace hilum {
namespace {

template <typename Message>
std::set<SiteId> Keys(const std::map<SiteId, Message>& messages) {
  std::set<SiteId> keys;
  for (const auto& [site, message] : messages) keys.insert(site);
  return keys;
}

template <typename Totals>
std::set<SiteId> SitesIn(const Totals& totals) {
  std::set<SiteId> sites;
  for (const std::string& site : totals.sites()) sites.emplace(site);
  return sites;
}

static_assert(kMaxArmCases <= kMaxSiteExamples);

// The first protocol whose studies this release goes on with. A census counts
// patients, and sums are opened, since 6; a census has validation patients, and
// a choice is of one track, since 7.
constexpr uint32_t kFirstThatGoesOn = 7;

// Returns the census of all sites that ever gave one.
v1::CensusTotals WholeCohort(const v1::Study& study,
                             const StoredStudy& stored) {
  return stored.census_totals.has_value()
             ? *stored.census_totals
             : SumCensus(study, GivenCensuses(stored));
}

bool IsTrained(const v1::Study& study, const StoredStudy& stored) {
  return hilum::TrainingIsOver(
      study, stored.rounds,
      hilum::TrackExamples(study, WholeCohort(study, stored)));
}

// Returns the sites that have said that they are unable, each with its reason.
std::map<SiteId, std::string> Withdrawn(const StoredStudy& stored) {
  std::map<SiteId, std::string> withdrawn;
  for (const auto& [site, record] : stored.census) {
    if (record.withdrawn()) {
      withdrawn.emplace(site, WordsOf(record.unable_reason()));
    }
  }
  return withdrawn;
}

// Stored rounds and updates may be ahead of the phase: a full disk may have
// taken them but not the phase.
StudyMachine::Progress ProgressOf(const v1::Study& study,
                                  const StoredStudy& stored) {
  const auto committed = static_cast<uint32_t>(stored.rounds.size());
  const bool trained = IsTrained(study, stored);
  std::set<SiteId> joining;
  for (const auto& [site, record] : stored.census) {
    if (!trained && record.counts_from_round() > committed + 1) {
      joining.insert(site);
    }
  }
  return {.committed_rounds = committed,
          .census = Keys(stored.census),
          .withdrawn = Withdrawn(stored),
          .joining = std::move(joining),
          .updates = Keys(stored.updates),
          .evaluations = Keys(stored.evaluations),
          .prepared = stored.phase >= v1::StudyStatus::TRAINING ||
                      !stored.rounds.empty() || !stored.updates.empty(),
          .trained = trained};
}

int LostRounds(const std::vector<RoundSummary>& rounds) {
  auto found = std::find_if(
      rounds.rbegin(), rounds.rend(),
      [](const RoundSummary& round) { return !round.contributors.empty(); });
  return static_cast<int>(found - rounds.rbegin());
}

// Returns the progress of a study with secure aggregation, from its sums.
StudyMachine::Progress SecureProgressOf(const v1::Study& study,
                                        const StoredStudy& stored) {
  StudyMachine::Progress progress{
      .committed_rounds = static_cast<uint32_t>(stored.rounds.size()),
      .lost_rounds = LostRounds(stored.rounds),
      .census = Keys(stored.census),
      .prepared = stored.census_totals.has_value(),
      .trained = IsTrained(study, stored),
      .evaluated = stored.evaluation_totals.has_value()};
  if (progress.prepared) progress.census = SitesIn(*stored.census_totals);
  progress.withdrawn = Withdrawn(stored);
  return progress;
}

// Returns the state before the next sum: after the last sum, or at the starting
// weights.
v1::StudyChain ChainOf(const StoredStudy& stored) {
  return stored.sums.has_value()
             ? stored.sums->chain()
             : FirstChain(stored.hash, stored.global.sha256());
}

}  // namespace

ActiveStudy::ActiveStudy(StoredStudy stored, v1::Study study,
                         ParameterLayout layout, const PeerVerifier* verifier,
                         SecureRng* rng, absl::Time now)
    : stored_(std::move(stored)),
      study_(std::move(study)),
      layout_(std::move(layout)),
      tracks_(StudyTracks(study_)),
      machine_(study_,
               IsSecure() ? SecureProgressOf(study_, stored_)
                          : ProgressOf(study_, stored_),
               {.study_hash = stored_.hash,
                .verifier = verifier,
                .rng = rng,
                .chain = ChainOf(stored_)},
               now) {
  if (stored_.phase == v1::StudyStatus::COMPLETED) machine_.Complete();
  if (stored_.phase == v1::StudyStatus::STOPPED) machine_.Stop(stored_.reason);
}

absl::StatusOr<ActiveStudy> ActiveStudy::Create(StoredStudy stored,
                                                const PeerVerifier* verifier,
                                                SecureRng* rng,
                                                absl::Time now) {
  HILUM_ASSIGN_OR_RETURN(v1::Study study, ParseStudy(stored.study));
  if (study.protocol_version() < kFirstThatGoesOn &&
      stored.phase < v1::StudyStatus::COMPLETED) {
    return absl::FailedPreconditionError(absl::StrCat(
        "it was begun with protocol ", study.protocol_version(),
        ", whose censuses say less; end it with the release that began it"));
  }
  if (hilum::IsSecure(study) && verifier == nullptr) {
    return absl::FailedPreconditionError(
        "secure aggregation takes the consortium's authority, by which sites "
        "know each other; this coordinator was given none");
  }
  HILUM_ASSIGN_OR_RETURN(ParameterLayout layout, StudyLayout(study));
  return ActiveStudy(std::move(stored), std::move(study), std::move(layout),
                     verifier, rng, now);
}

bool ActiveStudy::HasSite(const SiteId& site) const {
  return std::binary_search(study_.sites().begin(), study_.sites().end(),
                            site.name());
}

v1::Header ActiveStudy::MakeHeader(uint32_t round) const {
  v1::Header header;
  header.set_protocol_version(kProtocolVersion);
  header.set_study_hash(stored_.hash);
  header.set_round(round);
  return header;
}

v1::Task ActiveStudy::MakeTask(v1::Task::Kind kind, const SiteId& site) const {
  v1::Task task;
  uint32_t round = kind == v1::Task::PREPARE ? 0 : machine_.round();
  *task.mutable_header() = MakeHeader(round);
  task.set_kind(kind);
  if (machine_.sum() != nullptr && machine_.IsPrepared(site)) {
    *task.mutable_secure() = machine_.sum()->StepFor(site);
  }
  if (kind == v1::Task::PREPARE) return task;
  *task.mutable_global() =
      kind == v1::Task::EVALUATE ? stored_.evaluated() : stored_.global;
  if (IsSecure()) {
    *task.mutable_census_opening() = stored_.sums->census_opening();
    *task.mutable_last_opening() = stored_.sums->last_opening();
  } else {
    *task.mutable_choices() = ChoicesAfter(study_, stored_.rounds);
    *task.mutable_census() = CohortTotals();
    for (v1::ArmCensus& arm : *task.mutable_census()->mutable_arms()) {
      arm.clear_fingerprint();
    }
  }
  return task;
}

v1::StudyStatus ActiveStudy::Status() const {
  v1::StudyStatus status;
  status.set_study_hash(stored_.hash);
  status.set_name(study_.name());
  status.set_phase(machine_.phase());
  status.set_round(Ended() ? static_cast<uint32_t>(stored_.rounds.size())
                           : machine_.round());
  status.set_rounds(study_.training().rounds());
  status.set_reason(machine_.reason());
  if (machine_.phase() == v1::StudyStatus::COMPLETED) {
    status.set_warning(UntrainedSentence(
        study_, stored_.rounds, EvaluatedRounds(study_, stored_.rounds)));
  }
  for (const std::string& track : StoppedBetween({}, Models().choices)) {
    status.add_stopped_tracks(track);
  }
  if (!stored_.rounds.empty()) {
    double sum = 0;
    int trained = 0;
    for (double loss : stored_.rounds.back().mean_loss) {
      if (std::isnan(loss)) continue;
      sum += loss;
      ++trained;
    }
    if (trained > 0) status.set_mean_loss(sum / trained);
  }
  if (!Ended()) {
    for (const SiteId& site : machine_.waiting()) {
      status.add_waiting_for(site.name());
    }
    for (const auto& [site, why] : machine_.withdrawn()) {
      v1::UnableSite& unable = *status.add_unable();
      unable.set_site(site.name());
      unable.set_reason(why);
    }
  }
  return status;
}

std::map<SiteId, v1::SubmitCensusRequest> GivenCensuses(
    const StoredStudy& stored) {
  std::map<SiteId, v1::SubmitCensusRequest> censuses;
  for (const auto& [site, record] : stored.census) {
    censuses.emplace(site, record.census());
  }
  return censuses;
}

uint32_t ActiveStudy::NextCensusRound() const {
  const bool training = machine_.phase() == v1::StudyStatus::TRAINING;
  return std::max(1u, machine_.round() + (training ? 1 : 0));
}

v1::CensusTotals ActiveStudy::CohortTotals() const {
  if (stored_.census_totals.has_value()) return *stored_.census_totals;
  const uint32_t round = std::max(machine_.round(), 1u);
  std::map<SiteId, v1::SubmitCensusRequest> census;
  for (const auto& [site, record] : stored_.census) {
    if (record.counts_from_round() <= round) {
      census.emplace(site, record.census());
    }
  }
  return SumCensus(study_, census);
}

std::vector<uint64_t> ActiveStudy::TrackExamples() const {
  std::vector<uint64_t> examples = hilum::TrackExamples(study_, CohortTotals());
  LeaveOutStopped(ChoicesAfter(study_, stored_.rounds), examples);
  return examples;
}

absl::Status ActiveStudy::CheckCensus(
    const v1::SubmitCensusRequest& census) const {
  if (census.manifest_sha256() != layout_.manifest_sha256) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the site's network (tensor manifest ",
        ShortHash(census.manifest_sha256()), ") is not the study's ",
        layout_.architecture.name, " (", ShortHash(layout_.manifest_sha256),
        "); are site and coordinator of one version?"));
  }
  // The counts come as part of a sum in secure aggregation.
  if (IsSecure() && census.arms().empty()) return absl::OkStatus();
  return CheckCensusShape(study_, census);
}

int64_t ActiveStudy::VectorSize() const {
  switch (machine_.phase()) {
    case v1::StudyStatus::PREPARING:
      return CensusVectorSize(study_);
    case v1::StudyStatus::TRAINING:
      return vector_layout().size();
    default:
      return EvaluationVectorSize(study_);
  }
}

absl::Status ActiveStudy::CheckVector(const v1::BlobRef& vector) const {
  const uint64_t wanted =
      static_cast<uint64_t>(VectorSize()) * sizeof(uint32_t);
  if (vector.sha256().size() == 32 && vector.size() == wanted) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("the vector has ", vector.size(), " bytes and a hash of ",
                   vector.sha256().size(), ", the study's has ", wanted,
                   " bytes and a hash of 32"));
}

std::vector<uint64_t> ActiveStudy::HeldOut() const {
  return hilum::HeldOut(study_, *stored_.census_totals);
}

bool ActiveStudy::IsServed(const std::string& sha256) const {
  if (sha256 == study_.initial_weights_sha256() ||
      sha256 == stored_.global.sha256() ||
      (!Ended() && stored_.optimizer.size() > 0 &&
       sha256 == stored_.optimizer.sha256()) ||
      sha256 == stored_.evaluated().sha256()) {
    return true;
  }
  if (!stored_.sums.has_value()) return false;
  const v1::SumsRecord& sums = *stored_.sums;
  return sha256 == sums.census_opening().sha256() ||
         sha256 == sums.last_opening().sha256() ||
         sha256 == sums.census_sum().sha256() ||
         sha256 == sums.last_sum().sha256();
}

ChainStep ActiveStudy::StepOf(const v1::SumOpening& opening) const {
  // The coordinator made the opening, so its lists are sorted.
  return {.round = opening.round(),
          .statement = *StatementOf(machine_.sum()->context(), opening),
          .sum_sha256 = opening.sum().sha256()};
}

v1::StudyChain ActiveStudy::AfterCensus(
    const v1::SumOpening& opening, absl::Span<const uint32_t> words) const {
  return hilum::AfterCensus(machine_.chain(), StepOf(opening),
                            DigestOfWords(words));
}

v1::StudyChain ActiveStudy::AfterTraining(const v1::SumOpening& opening,
                                          const RoundModels& models) const {
  return hilum::AfterTraining(machine_.chain(), StepOf(opening),
                              {.model_sha256 = models.global.sha256(),
                               .best_sha256 = models.best.sha256(),
                               .choices = models.choices,
                               .optimizer_sha256 = models.optimizer.sha256()});
}

absl::Status ActiveStudy::ReadSum(absl::Span<const uint32_t> sums,
                                  StoredStudy& stored) const {
  const std::set<SiteId>& sites = machine_.answered();
  if (machine_.phase() == v1::StudyStatus::PREPARING) {
    HILUM_ASSIGN_OR_RETURN(stored.census_totals,
                           DecodeCensus(study_, sites, sums));
    return absl::OkStatus();
  }
  HILUM_ASSIGN_OR_RETURN(
      stored.evaluation_totals,
      DecodeEvaluation(study_, HeldOut(), sites, sums,
                       HistogramsShown(study_, *stored_.census_totals)));
  return absl::OkStatus();
}

absl::Status ActiveStudy::CheckEvaluation(
    const v1::SubmitEvaluationRequest& evaluation) const {
  return CheckEvaluationShape(study_, evaluation.tracks());
}

RoundSummary ActiveStudy::Summarise(const AggregateResult& sum) const {
  RoundSummary summary{.round = machine_.round()};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto arms = static_cast<size_t>(study_.arms_size());
  if (IsValidated(study_)) {
    summary.validation_examples.resize(tracks_.size());
    summary.validation_loss.resize(tracks_.size(), nan);
  }
  summary.examples.resize(tracks_.size());
  if (machine_.SumIsLost()) {
    summary.mean_loss.assign(arms, nan);
    return summary;
  }
  summary.site_examples = sum.update_examples;
  for (const SiteId& site : machine_.answered()) {
    summary.contributors.push_back(site);
  }
  for (const ArmTotals& arm : sum.arms) {
    summary.mean_loss.push_back(arm.mean_loss);
  }
  for (size_t t = 0; t < sum.tracks.size(); ++t) {
    summary.examples[t] = sum.tracks[t].num_examples;
    if (!IsValidated(study_)) continue;
    summary.validation_examples[t] = sum.tracks[t].validation_examples;
    summary.validation_loss[t] = sum.tracks[t].validation_loss;
  }
  return summary;
}

RoundModels ActiveStudy::Models() const {
  return {.global = stored_.global,
          .best = stored_.best,
          .choices = ChoicesAfter(study_, stored_.rounds),
          .optimizer = stored_.optimizer};
}

std::vector<std::string> ActiveStudy::StoppedBetween(
    const TrackChoices& before, const TrackChoices& after) const {
  std::vector<std::string> stopped;
  for (size_t t = 0; t < tracks_.size(); ++t) {
    if (IsStopped(before, t) || !IsStopped(after, t)) continue;
    stopped.push_back(ArmTrackName(tracks_[t]));
  }
  return stopped;
}

bool ActiveStudy::TrainingIsOver() const { return IsTrained(study_, stored_); }

}  // namespace hilum
