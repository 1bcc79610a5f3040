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

namespace hilum {

// The network's tensors; what its weights are checked against.
Architecture SegmenterArchitecture();

// n images as the network takes them, and where their lungs are.
struct SegmentBatch {
  std::vector<float> pixels;  // [n, size, size], gray, 0 to 1
  std::vector<float> masks;   // [n, size, size], 0 to 1
};

// Not thread-safe.
class Segmenter {
 public:
  // `size`: of an image's side, a multiple of 16 from 32 to 1024. `weights`:
  // of SegmenterArchitecture, registry order. `training`: optimiser, its rate
  // and clipping. INVALID_ARGUMENT: another size, or number of weights.
  static absl::StatusOr<std::unique_ptr<Segmenter>> Create(
      int size, absl::Span<const float> weights,
      const v1::Training& training = {});
  ~Segmenter();

  // Threads for calls from this thread.
  static void SetThreads(int threads);

  int size() const;

  // One step down the mean over the batch of ce + 1 - (2 sum pt + 1) /
  // (sum p + sum t + 1), with the mask t, p = sigmoid(logit), ce the mean
  // binary cross-entropy of the pixels and sums over an image's; returns that
  // mean, before the step. OUT_OF_RANGE: not finite.
  // Source: Milletari, Navab, Ahmadi 2016 (Dice loss).
  absl::StatusOr<double> TrainBatch(SegmentBatch& batch, double rate_factor);

  // Probabilities [n, size, size] of pixels [n, size, size].
  absl::StatusOr<std::vector<float>> Predict(std::vector<float>& pixels);

  // Registry order.
  std::vector<float> Weights() const;

 private:
  struct Impl;
  explicit Segmenter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_SEGMENTATION_SEGMENTER_H_
