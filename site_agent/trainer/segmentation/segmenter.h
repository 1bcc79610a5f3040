// SPDX-License-Identifier: Apache-2.0
// A U-Net that learns, in plain types: behind it, and nowhere else here, Torch.
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

// The network's tensors; what its weights are checked against.
Architecture SegmenterArchitecture();

// n images as the network takes them, and where their lungs are.
struct SegmentBatch {
  std::vector<float> pixels;  // [n, size, size], gray, 0 to 1
  std::vector<float> masks;   // [n, size, size], 0 to 1
};

// What a network that does not learn just now makes of a batch.
struct SegmentOutcome {
  std::vector<float> probabilities;  // [n, size, size]
  std::vector<double> losses;        // [n], TrainBatch's of each
};

// Not thread-safe; several may run in threads of their own, and each gives the
// same bits whatever runs beside it.
class Segmenter {
 public:
  // `size`: of an image's side, a multiple of 16 from 32 to 1024. `weights`:
  // of SegmenterArchitecture, registry order. `training`: optimiser, its rate
  // and clipping. INVALID_ARGUMENT: another size, or number of weights.
  static absl::StatusOr<std::unique_ptr<Segmenter>> Create(
      int size, absl::Span<const float> weights,
      const v1::Training& training = {}, const ComputeDevice& device = {});
  ~Segmenter();

  // Threads for calls from this thread.
  static void SetThreads(int threads);

  int size() const;

  // Other weights, and the optimiser starts afresh. A running variance below
  // zero, as sums over sites may round it to, becomes zero. INVALID_ARGUMENT:
  // another number of weights.
  absl::Status Load(absl::Span<const float> weights);

  // One step down the mean over the batch of ce + 1 - (2 sum pt + 1) /
  // (sum p + sum t + 1), with the mask t, p = sigmoid(logit), ce the mean
  // binary cross-entropy of the pixels and sums over an image's; returns that
  // mean, before the step. OUT_OF_RANGE: not finite.
  // Source: Milletari, Navab, Ahmadi 2016 (Dice loss).
  absl::StatusOr<double> TrainBatch(SegmentBatch& batch, double rate_factor);

  // Probabilities [n, size, size] of pixels [n, size, size].
  absl::StatusOr<std::vector<float>> Predict(std::vector<float>& pixels);

  // By the running statistics, without learning.
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
