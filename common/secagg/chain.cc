// SPDX-License-Identifier: Apache-2.0
#include "common/secagg/chain.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/crypto/sha256.h"
#include "common/secagg/context.h"

namespace hilum {
namespace {

// Returns the bits of a double as a number, so that equal doubles have equal
// digests.
std::string BitsOf(double value) {
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return absl::StrCat(bits);
}

std::string DigestOfChoice(const v1::TrackChoice& choice) {
  return Sha256Of(Concatenate(
      {choice.tried() ? "tried" : "", absl::StrCat(choice.best_round()),
       BitsOf(choice.best_loss()), BitsOf(choice.to_beat()),
       absl::StrCat(choice.without_gain()),
       absl::StrCat(choice.stopped_after())}));
}

v1::StudyChain Next(const v1::StudyChain& chain, const ChainStep& step) {
  v1::StudyChain next = chain;
  next.set_previous(History(chain));
  next.set_round(step.round);
  next.set_statement(Sha256Of(step.statement));
  next.set_sum_sha256(step.sum_sha256);
  return next;
}

}  // namespace

v1::StudyChain FirstChain(absl::string_view study_hash,
                          absl::string_view model_sha256) {
  v1::StudyChain chain;
  chain.set_previous(
      Sha256Of(Concatenate({"hilum history v1: start", study_hash})));
  chain.set_model_sha256(std::string(model_sha256));
  return chain;
}

std::string History(const v1::StudyChain& chain) {
  std::string choices;
  for (const v1::TrackChoice& choice : chain.choices()) {
    choices += DigestOfChoice(choice);
  }
  std::string state = Concatenate(
      {"hilum history v2", chain.previous(), absl::StrCat(chain.round()),
       chain.statement(), chain.sum_sha256(), chain.census_sha256(),
       chain.model_sha256(), chain.best_sha256(), choices});
  if (!chain.optimizer_sha256().empty()) {
    state += Concatenate({chain.optimizer_sha256()});
  }
  return Sha256Of(state);
}

const std::string& ModelOf(const v1::StudyChain& chain, v1::Task::Kind kind) {
  return kind == v1::Task::EVALUATE && AnyTried(chain.choices())
             ? chain.best_sha256()
             : chain.model_sha256();
}

std::string Question(absl::string_view study_hash, uint32_t round,
                     v1::Task::Kind kind, const v1::StudyChain& chain) {
  return Sha256Of(
      Concatenate({"hilum question v1", study_hash, absl::StrCat(round),
                   absl::StrCat(static_cast<int>(kind)), History(chain),
                   ModelOf(chain, kind)}));
}

std::string DigestOfWords(absl::Span<const uint32_t> words) {
  return Sha256Of(absl::string_view(reinterpret_cast<const char*>(words.data()),
                                    words.size() * sizeof(uint32_t)));
}

v1::StudyChain AfterCensus(const v1::StudyChain& chain, const ChainStep& step,
                           absl::string_view census_sha256) {
  v1::StudyChain next = Next(chain, step);
  next.set_census_sha256(std::string(census_sha256));
  return next;
}

v1::StudyChain AfterTraining(const v1::StudyChain& chain, const ChainStep& step,
                             const TrainedModels& models) {
  v1::StudyChain next = Next(chain, step);
  next.set_model_sha256(models.model_sha256);
  next.set_best_sha256(models.best_sha256);
  *next.mutable_choices() = models.choices;
  next.set_optimizer_sha256(models.optimizer_sha256);
  return next;
}

std::string ChecksumChallenge(const v1::StudyChain& after) {
  return Sha256Of(Concatenate(
      {"hilum checksum challenge v1", after.statement(), after.sum_sha256()}));
}

std::string ChecksumChallenge(const ChainStep& step) {
  return ChecksumChallenge(Next(v1::StudyChain(), step));
}

}  // namespace hilum
