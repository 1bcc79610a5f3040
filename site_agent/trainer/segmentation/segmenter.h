// SPDX-License-Identifier: Apache-2.0
// A U-Net that learns. The interface has plain types; only the source uses
// Torch.
#ifndef HILUM_SITE_AGENT_TRAINER_SEGMENTATION_SEGMENTER_H_
#define HILUM_SITE_AGENT_TRAINER_SEGMENTATION_SEGMENTER_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/model/architecture.h"
#include "hilum/v1/study.pb.h"
#include "site_agent/trainer/learning/device.h"

namespace hilum {

// Returns the network's tensors, against which weights are checked.
Architecture SegmenterArchitecture();

// The network's input of n images, and their lung masks.
struct SegmentBatch {
  std::vector<float> pixels;  // [n, size, size], gray, 0 to 1
  std::vector<float> masks;   // [n, size, size], 0 to 1
};

// The network's results for a batch, without learning.
struct SegmentOutcome {
  std::vector<float> probabilities;  // [n, size, size]
  std::vector<double> losses;        // [n], TrainBatch's loss of each
};

// Trains and runs a U-Net. Not thread-safe; several may run in threads of their
// own, and each gives the same bits whatever runs beside it.
class Segmenter {
 public:
  // `size`: pixels of an image's side, a multiple of 16 from 32 to 1024.
  // `weights`: of SegmenterArchitecture, registry order. `training`: optimiser,
  // its rate and clipping. INVALID_ARGUMENT: another size, or number of
  // weights.
  static absl::StatusOr<std::unique_ptr<Segmenter>> Create(
      int size, absl::Span<const float> weights,
      const v1::Training& training = {}, const ComputeDevice& device = {});
  ~Segmenter();

  // Sets the number of Torch's threads for calls from this thread.
  static void SetThreads(int threads);

  int size() const;

  // Replaces the weights and resets the optimiser. Sets a running variance
  // below zero, which rounded sums over sites may give, to zero.
  // INVALID_ARGUMENT: another number of weights.
  absl::Status Load(absl::Span<const float> weights);

  // Makes one step down the mean over the batch of ce + 1 - (2 sum pt + 1) /
  // (sum p + sum t + 1), with the mask t, p = sigmoid(logit), ce the mean
  // binary cross-entropy of the pixels, and sums over an image's pixels.
  // Returns that mean, before the step. OUT_OF_RANGE: not finite. Source:
  // Milletari, Navab, Ahmadi 2016 (Dice loss).
  absl::StatusOr<double> TrainBatch(SegmentBatch& batch, double rate_factor);

  // Returns probabilities [n, size, size] of pixels [n, size, size].
  absl::StatusOr<std::vector<float>> Predict(std::vector<float>& pixels);

  // Evaluates with the running statistics, without learning.
  absl::StatusOr<SegmentOutcome> Try(SegmentBatch& batch);

  // Registry order.
  std::vector<float> Weights() const;

 private:
  struct Impl;
  explicit Segmenter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_SEGMENTATION_SEGMENTER_H_
