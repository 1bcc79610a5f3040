// SPDX-License-Identifier: Apache-2.0
// The server's optimiser over the files of one round.
//
// Its state is a file of 32-bit little-endian words without a header: for each
// track how many steps it has made, uint32; then for each element of all tracks
// in their order StateSize floats, m and v. Elements that are not learned have
// zeros. Before the first step there is no file: all is 0. With sgd without
// momentum there never is one.
#ifndef HILUM_COMMON_AGGREGATION_SERVER_UPDATE_H_
#define HILUM_COMMON_AGGREGATION_SERVER_UPDATE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/aggregation/blob_file.h"
#include "common/aggregation/ring.h"
#include "common/aggregation/server_optimizer.h"
#include "common/base/file.h"
#include "common/crypto/hashed_file.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

struct ServerOptions {
  v1::ServerOptimizer rules;
  double rate_factor = 1;        // ServerRateFactor of the round
  std::vector<ElementRun> runs;  // of a track
  std::string state_path;        // before the round; empty: none yet
  std::string output_path;       // after it; unused where there is no state
};

// Returns the options of a round, without paths; nothing where the study has no
// server optimiser.
std::optional<ServerOptions> ServerOptionsOf(const v1::Study& study,
                                             const ParameterLayout& parameters,
                                             uint32_t round);

// Returns the bytes of a study's state file; 0: it has none.
uint64_t StateBytes(const v1::Study& study, const VectorLayout& layout);

// Takes the step of one round. Life: Open; Begin; Clip for each track, where
// Clips(); then for each block ReadState and Apply from any thread, and Append
// in the blocks' order; Commit. Without Commit nothing stays.
class ServerUpdate {
 public:
  // INVALID_ARGUMENT: a state of another length, or runs that are not a track.
  // Others: errors of files.
  static absl::StatusOr<ServerUpdate> Open(const ServerOptions& options,
                                           const VectorLayout& layout);

  // `scales` [num_tracks]: the weight of a unit of each track's sum; 0: nobody
  // trained the track, which makes no step.
  absl::Status Begin(const std::vector<double>& scales);

  bool Clips() const { return rules_.clip() > 0; }
  // Adds the squares of the learned elements of a block of the sum, which
  // begins at element `at`; blocks come in order.
  void Measure(int64_t at, absl::Span<const uint32_t> sums);
  // Call once all blocks are measured.
  void Clip();

  // Reads the state of the `size` elements from `at` on.
  absl::Status ReadState(int64_t at, size_t size,
                         std::vector<float>& state) const;
  // Takes the step for the elements from `at` on.
  void Apply(int64_t at, absl::Span<const uint32_t> sums,
             absl::Span<float> state, absl::Span<float> global) const;
  absl::Status Append(absl::Span<const float> state);

  // Renames the new state into place. Returns an empty digest where the rules
  // have no state.
  absl::StatusOr<WrittenFile> Commit(Durability durability);

 private:
  ServerUpdate(const ServerOptions& options, const VectorLayout& layout);

  // Calls use(track, run, first, size) for each piece of one run of a track
  // among `size` elements from `at` on; `first` counts from `at`.
  template <typename Use>
  void ForEachRun(int64_t at, size_t size, const Use& use) const;

  v1::ServerOptimizer rules_;
  double rate_factor_;
  std::vector<ElementRun> runs_;
  VectorLayout layout_;
  size_t state_size_;
  std::string output_path_;
  std::vector<BlobFile> before_;                  // one, or none
  std::vector<double> scales_;                    // [num_tracks]
  std::vector<std::optional<ServerStep>> steps_;  // [num_tracks]
  std::vector<double> squares_;                   // [num_tracks]
  std::unique_ptr<HashedFile> output_;
};

}  // namespace hilum

#endif  // HILUM_COMMON_AGGREGATION_SERVER_UPDATE_H_
