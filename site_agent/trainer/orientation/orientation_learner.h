// SPDX-License-Identifier: Apache-2.0
// The orientation network in training. The interface has plain types; only the
// source uses Torch.
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

// Returns the tensors of a file of weights, in the order of
// site_agent/imaging/upright/orientation_network.h.
Architecture OrientationArchitecture();

// Trains the orientation network. During training each convolution has batch
// normalisation instead of a bias, and dropout removes half of the head's
// input. Not thread-safe.
class OrientationLearner {
 public:
  static absl::StatusOr<std::unique_ptr<OrientationLearner>> Create(
      uint64_t seed, const v1::Training& training);
  ~OrientationLearner();

  // Sets the number of Torch's threads for calls from this thread.
  static void SetThreads(int threads);

  // Makes one step down the mean cross-entropy of softmax over the scores of
  // the eight turns. `pixels` [n, kOrientationSide, kOrientationSide], gray, 0
  // to 1: the first `upright` images are upright; for the others each turn is
  // equally likely. Returns the mean before the step. `rng` drives dropout.
  // OUT_OF_RANGE: not finite.
  absl::StatusOr<double> TrainBatch(absl::Span<const float> pixels, int upright,
                                    double rate_factor, Rng& rng);

  // Returns the weights of OrientationArchitecture in registry order; batch
  // normalisation, with its running statistics, is folded into the
  // convolutions.
  std::vector<float> Weights() const;

 private:
  struct Impl;
  explicit OrientationLearner(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Returns Torch's scores [n] of pixels [n, side, side], with `weights` of
// OrientationArchitecture. They equal OrientationNetwork::Score up to rounding.
// INVALID_ARGUMENT: another number of weights.
absl::StatusOr<std::vector<float>> TorchOrientationScores(
    absl::Span<const float> weights, std::vector<float> pixels);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_ORIENTATION_ORIENTATION_LEARNER_H_
