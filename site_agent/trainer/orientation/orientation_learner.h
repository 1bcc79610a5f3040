// SPDX-License-Identifier: Apache-2.0
// The orientation network as it learns, in plain types: behind it, and nowhere
// else here, Torch.
#ifndef HILUM_SITE_AGENT_TRAINER_ORIENTATION_ORIENTATION_LEARNER_H_
#define HILUM_SITE_AGENT_TRAINER_ORIENTATION_ORIENTATION_LEARNER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/base/rng.h"
#include "common/model/architecture.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// The tensors of site_agent/imaging/upright/orientation_network.h, in its
// order: what a file of weights has.
Architecture OrientationArchitecture();

// While it learns each convolution is without bias and followed by batch
// normalisation, and half of what the head is fed is dropped. Not thread-safe.
class OrientationLearner {
 public:
  static absl::StatusOr<std::unique_ptr<OrientationLearner>> Create(
      uint64_t seed, const v1::Training& training);
  ~OrientationLearner();

  // Threads for calls from this thread.
  static void SetThreads(int threads);

  // One step down the mean cross-entropy of softmax over the scores of the
  // eight turns. `pixels` [n, kOrientationSide, kOrientationSide], gray, 0 to
  // 1: the first `upright` images are upright, of the others each turn is as
  // likely as another. Returns the mean, before the step. `rng` drives the
  // dropping. OUT_OF_RANGE: not finite.
  absl::StatusOr<double> TrainBatch(absl::Span<const float> pixels, int upright,
                                    double rate_factor, Rng& rng);

  // Of OrientationArchitecture, registry order: batch normalisation by its
  // running statistics is part of the convolutions.
  std::vector<float> Weights() const;

 private:
  struct Impl;
  explicit OrientationLearner(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Torch's scores [n] of pixels [n, side, side] by `weights` of
// OrientationArchitecture: what OrientationNetwork::Score gives, but for
// rounding. INVALID_ARGUMENT: another number of weights.
absl::StatusOr<std::vector<float>> TorchOrientationScores(
    absl::Span<const float> weights, std::vector<float> pixels);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_ORIENTATION_ORIENTATION_LEARNER_H_
