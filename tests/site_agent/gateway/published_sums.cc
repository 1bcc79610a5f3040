// SPDX-License-Identifier: Apache-2.0
#include "tests/site_agent/gateway/published_sums.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/aggregation/fed_avg.h"
#include "common/aggregation/statistics_vector.h"
#include "common/aggregation/sum_file.h"
#include "common/aggregation/sum_vectors.h"
#include "common/base/check.h"
#include "common/base/file.h"
#include "common/config/cohort_rules.h"
#include "common/crypto/sha256.h"
#include "common/secagg/chain.h"
#include "common/secagg/mask.h"
#include "common/secagg/opening.h"
#include "common/secagg/vector_checksum.h"
#include "site_agent/gateway/update_file.h"

namespace hilum {
namespace {

std::set<SiteId> SurvivorsOf(const v1::SumOpening& opening) {
  std::set<SiteId> sites;
  for (const auto& survivor : opening.survivors()) {
    sites.emplace(survivor.site());
  }
  return sites;
}

}  // namespace

PublishedSums::PublishedSums(const v1::Study& study, std::string hash,
                             std::string folder, Blobs& blobs)
    : study_(study),
      hash_(std::move(hash)),
      folder_(std::move(folder)),
      blobs_(&blobs) {
  HILUM_CHECK(MakeDirectories(folder_).ok());
  chain_ = FirstChain(hash_, PutBlob(blobs, StartingModel(study)).sha256());
}

SecAggContext PublishedSums::ContextOf(const v1::Task& task) const {
  SecAggContext context{
      .study_hash = hash_,
      .round = task.header().round(),
      .question = Question(hash_, task.header().round(), task.kind(), chain_)};
  for (const std::string& site : study_.sites()) context.cohort.emplace(site);
  return context;
}

const std::string& PublishedSums::ModelOf(v1::Task::Kind kind) const {
  return hilum::ModelOf(chain_, kind);
}

void PublishedSums::Fill(v1::Task& task) const {
  if (task.kind() == v1::Task::PREPARE) return;
  task.mutable_global()->set_sha256(ModelOf(task.kind()));
  task.mutable_global()->set_size(blobs_->at(ModelOf(task.kind())).size());
  if (!HasCensus()) return;
  *task.mutable_census_opening() = census_opening_;
  *task.mutable_last_opening() = last_opening_;
}

std::string PublishedSums::ChecksumOf(const SiteId& site) const {
  const auto vector = vectors_.find(site);
  if (vector == vectors_.end()) return "";
  const std::vector<uint64_t> words(vector->second.begin(),
                                    vector->second.end());
  return ChecksumOfWords(words, ChecksumChallenge(chain_)).value().ToBytes();
}

std::vector<uint32_t> PublishedSums::Publish(v1::Task::Kind kind,
                                             const HonestSum& sum,
                                             const Vectors& masked) {
  v1::SumOpening opening = sum.Open().value();
  std::vector<std::string> paths;
  for (const SiteId& site : SurvivorsOf(opening)) {
    paths.push_back(absl::StrCat(folder_, "/", site.name(), ".masked"));
    HILUM_CHECK(WriteVector(paths.back(), masked.at(site)).ok());
    PutBlob(*blobs_, ReadFile(paths.back()).value());
  }
  const auto size =
      static_cast<int64_t>(masked.at(*SurvivorsOf(opening).begin()).size());
  std::string file = SumVectorsAndCarries(paths, size, {}).value().file;
  forge(file);
  const std::string sum_path = folder_ + "/sum";
  HILUM_CHECK(WriteFileAtomically(sum_path, file, Durability::kNone).ok());
  auto streams = std::make_shared<std::vector<MaskStream>>(
      LeftoverMasks(sum.context(), opening).value());
  const std::vector<uint32_t> words =
      ReadSum(sum_path, size, opening.survivors_size(),
              [streams](uint64_t first, absl::Span<uint32_t> values) {
                ApplyMaskStreams(absl::MakeSpan(*streams), first, values);
              })
          .value();
  if (kind == v1::Task::EVALUATE) return words;
  *opening.mutable_sum() = PutBlob(*blobs_, file);
  opening.set_kind(kind);
  *opening.mutable_before() = chain_;
  const ChainStep step{.round = opening.round(),
                       .statement = StatementOf(sum.context(), opening).value(),
                       .sum_sha256 = opening.sum().sha256()};
  chain_ = kind == v1::Task::PREPARE
               ? AfterCensus(chain_, step, DigestOfWords(words))
               : AfterTraining(chain_, step, Train(opening.round(), words));
  if (kind == v1::Task::PREPARE) {
    cohort_ = DecodeCensus(study_, SurvivorsOf(opening), words).value();
  }
  *opening.mutable_after() = chain_;
  last_opening_ = Put(opening);
  if (kind == v1::Task::PREPARE) census_opening_ = last_opening_;
  last_ = std::move(opening);
  vectors_ = masked;
  return words;
}

TrainedModels PublishedSums::Train(uint32_t round,
                                   const std::vector<uint32_t>& words) {
  const std::string plain = folder_ + "/plain", global = folder_ + "/global";
  HILUM_CHECK(WriteVector(plain, words).ok());
  HILUM_CHECK(WriteFileAtomically(global, blobs_->at(chain_.model_sha256()),
                                  Durability::kNone)
                  .ok());
  AggregateOptions options{
      .layout = LayoutOf(study_),
      .fraction_bits = FractionBits(study_.aggregation().clipping_norm()),
      .total_examples = TrackExamples(study_, cohort_),
      .updates = {{.site = "all", .path = plain}},
      .global_path = global,
      .output_path = global,
      .server = ServerOptionsOf(study_, StudyLayout(study_).value(), round),
      .durability = Durability::kNone};
  LeaveOutStopped(chain_.choices(), options.total_examples);
  const std::string state = folder_ + "/optimizer";
  if (options.server.has_value()) {
    options.server->output_path = state;
    if (!chain_.optimizer_sha256().empty()) {
      HILUM_CHECK(WriteFileAtomically(state,
                                      blobs_->at(chain_.optimizer_sha256()),
                                      Durability::kNone)
                      .ok());
      options.server->state_path = state;
    }
  }
  const absl::StatusOr<AggregateResult> result = AggregateUpdates(options);
  HILUM_CHECK(result.ok());
  const std::string after = ReadFile(global).value();
  TrainedModels models{.model_sha256 = PutBlob(*blobs_, after).sha256()};
  if (result->state_bytes > 0) {
    models.optimizer_sha256 =
        PutBlob(*blobs_, ReadFile(state).value()).sha256();
  }
  RoundChoice choice = ChooseAfter(study_, round, chain_.choices(), *result);
  models.choices = std::move(choice.choices);
  if (AnyTried(models.choices)) {
    models.best_sha256 =
        PutBlob(*blobs_, Chosen(choice.origins, after)).sha256();
  }
  return models;
}

std::string PublishedSums::Chosen(const std::vector<ChosenFrom>& origins,
                                  const std::string& after) const {
  const std::string& before = blobs_->at(chain_.model_sha256());
  const std::string& kept =
      AnyTried(chain_.choices()) ? blobs_->at(chain_.best_sha256()) : before;
  std::string chosen;
  const size_t size = after.size() / origins.size();
  for (size_t t = 0; t < origins.size(); ++t) {
    const std::string& from = origins[t] == ChosenFrom::kAfter    ? after
                              : origins[t] == ChosenFrom::kBefore ? before
                                                                  : kept;
    chosen += from.substr(t * size, size);
  }
  return chosen;
}

}  // namespace hilum
