// SPDX-License-Identifier: Apache-2.0
// Follows a study from one sum to the next. Each site computes this state
// itself, and signs it as a part of the question that it answers. Sites that
// followed different sums, or start from different models, have different
// questions, so that their masks do not cancel.
// No protobuf is serialised for a digest: every value has a fixed place,
// numbers in little-endian, each with its length before it (Concatenate).
#ifndef HILUM_COMMON_SECAGG_CHAIN_H_
#define HILUM_COMMON_SECAGG_CHAIN_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/config/track_choice.h"
#include "hilum/v1/federation.pb.h"
#include "hilum/v1/opening.pb.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// Returns the state of a study before its first sum. model_sha256: of the
// travelling starting weights of all tracks, 32 bytes.
v1::StudyChain FirstChain(absl::string_view study_hash,
                          absl::string_view model_sha256);

// Returns the digest of a state, 32 bytes.
std::string History(const v1::StudyChain& chain);

// Returns the model of a task of this kind: the trained one or, for an
// evaluation, each track's best of those that were tried.
const std::string& ModelOf(const v1::StudyChain& chain, v1::Task::Kind kind);

// Returns the question to a site, 32 bytes: SHA-256("hilum question v1", study
// hash, round, kind, history, model).
std::string Question(absl::string_view study_hash, uint32_t round,
                     v1::Task::Kind kind, const v1::StudyChain& chain);

// One sum that succeeded.
struct ChainStep {
  uint32_t round = 0;
  std::string statement;   // the survivors' signed statement
  std::string sum_sha256;  // of its sum blob
};

// Returns the SHA-256 of words as in a file, little-endian.
std::string DigestOfWords(absl::Span<const uint32_t> words);

// Returns the state after the sum of the censuses. `census_sha256`: digest of
// its words, little-endian.
v1::StudyChain AfterCensus(const v1::StudyChain& chain, const ChainStep& step,
                           absl::string_view census_sha256);

// The models after a sum of updates.
struct TrainedModels {
  std::string model_sha256;  // of the trained models
  // Digest of the chosen ones (common/aggregation/chosen_models.h); empty: no
  // track was tried yet, or the study does not validate.
  std::string best_sha256;
  TrackChoices choices;  // after the sum
  // Of the state of the server's optimiser
  // (common/aggregation/server_update.h); empty: it has none.
  std::string optimizer_sha256 = {};
};

// Returns the state after a sum of updates.
v1::StudyChain AfterTraining(const v1::StudyChain& chain, const ChainStep& step,
                             const TrainedModels& models);

// Returns the challenge for the checksums of masked vectors
// (vector_checksum.h). It depends on the statement and the sum, so nobody can
// fit either of these to it.
std::string ChecksumChallenge(const v1::StudyChain& after);
// Returns the same from the step alone, before the state after it is known.
std::string ChecksumChallenge(const ChainStep& step);

}  // namespace hilum

#endif  // HILUM_COMMON_SECAGG_CHAIN_H_
