// SPDX-License-Identifier: Apache-2.0
// A network that learns, in plain types: behind it, and nowhere else, Torch.
#ifndef HILUM_SITE_AGENT_TRAINER_MODULE_H_
#define HILUM_SITE_AGENT_TRAINER_MODULE_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/base/rng.h"
#include "common/model/architecture.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

struct Batch {
  std::vector<float> pixels;   // [n, size, size], 0 to 1
  std::vector<int> labels;     // [n]
  std::vector<float> weights;  // [n], of the cases' losses
  // [classes], added to the logits before the loss; empty: nothing.
  std::vector<float> logit_offsets;
};

// One network and its optimiser. LoadFrozen, then for each track Load
// (TrainBatch* | Predict)* Travelling. Load starts the optimiser afresh.
// Not thread-safe; several may run in threads of their own, and each gives
// the same bits whatever runs beside it.
class Module {
 public:
  // INVALID_ARGUMENT: unknown optimiser, or a network unlike its table.
  static absl::StatusOr<std::unique_ptr<Module>> Create(
      const ParameterLayout& layout, const v1::Study& study);
  ~Module();

  // Threads for calls from this thread.
  static void SetThreads(int threads);

  // [frozen_size] and [travelling_size] of the layout. INVALID_ARGUMENT:
  // wrong length.
  absl::Status LoadFrozen(absl::Span<const float> values);
  absl::Status Load(absl::Span<const float> values);
  std::vector<float> Travelling() const;

  // One step down mean(weight * cross-entropy). The sum of weight *
  // cross-entropy over the batch, before the step. OUT_OF_RANGE: not finite.
  absl::StatusOr<double> TrainBatch(Batch& batch, Rng& dropout);

  // Logits [n, classes], row-major, of pixels [n, size, size].
  absl::StatusOr<std::vector<float>> Predict(std::vector<float>& pixels);

 private:
  struct Impl;
  explicit Module(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_MODULE_H_
