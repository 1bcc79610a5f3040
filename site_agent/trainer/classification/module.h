// SPDX-License-Identifier: Apache-2.0
// A network that learns. The interface has plain types; only the source uses
// Torch.
#ifndef HILUM_SITE_AGENT_TRAINER_CLASSIFICATION_MODULE_H_
#define HILUM_SITE_AGENT_TRAINER_CLASSIFICATION_MODULE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/base/rng.h"
#include "common/model/architecture.h"
#include "hilum/v1/study.pb.h"
#include "site_agent/trainer/learning/device.h"

namespace hilum {

class Ranks;

// The inputs of n cases.
struct Inputs {
  // False: pixels [n, size, size], gray, 0 to 1. True: features
  // [n, feature_size()], as Module::Features gives them.
  bool features = false;
  std::vector<float> values;
};

struct Batch {
  Inputs inputs;
  std::vector<int> labels;     // [n]
  std::vector<float> weights;  // [n], of the cases' losses
  // [classes], added to the logits before the loss; empty: none.
  std::vector<float> logit_offsets;
};

struct ModuleOptions {
  ComputeDevice device;
  bool bfloat16 = false;  // v1::Training's precision; the device has it
  // A larger batch is computed in pieces of at most this many cases; 0: only
  // where the memory is too small.
  int64_t most_at_once = 0;
  // Processes that share each training batch; outlive the module. Each makes
  // the same calls with the same arguments. Null: this process alone.
  Ranks* ranks = nullptr;
};

// One network and its optimiser. LoadFrozen, then for each track Load
// (TrainBatch* | Predict | Features)* Travelling Local. Load resets the
// optimiser. Blocks that are not trained compute as in evaluation: without
// dropout, with their running statistics. Not thread-safe; several modules may
// run in threads of their own, and each gives the same bits whatever runs
// beside it.
class Module {
 public:
  // INVALID_ARGUMENT: the network's tensors differ from its table.
  static absl::StatusOr<std::unique_ptr<Module>> Create(
      const ParameterLayout& layout, const v1::Study& study,
      const ModuleOptions& options = {});
  // Returns another module for the same study, which shares this one's frozen
  // parameters in memory. Do not call while this module loads them.
  absl::StatusOr<std::unique_ptr<Module>> CreateSibling() const;
  ~Module();

  // Sets the number of Torch's threads for calls from this thread.
  static void SetThreads(int threads);

  // [frozen_size] and [travelling_size] of the layout. INVALID_ARGUMENT:
  // wrong length.
  absl::Status LoadFrozen(absl::Span<const float> values);
  absl::Status Load(absl::Span<const float> values);
  // Reads the frozen blob into the parameters' own memory. DATA_LOSS: shorter.
  absl::Status LoadFrozenFile(const std::string& path);
  // Loads [local_size] values. Call after Load, which sets local parameters to
  // their frozen starting values.
  absl::Status LoadLocal(absl::Span<const float> values);
  std::vector<float> Travelling() const;
  std::vector<float> Local() const;

  // Returns the number of floats of a case's features, the input of the first
  // trained block; 0 where that block is the network's first.
  absl::StatusOr<int64_t> FeatureSize();
  // Returns features [n, FeatureSize()] of pixels [n, size, size].
  absl::StatusOr<std::vector<float>> Features(std::vector<float>& pixels);

  // Makes one step, at the study's rate times `rate_factor`, down mean(weight *
  // loss). Returns the sum of weight * loss over the batch, before the step.
  // Where the device's memory is too small for the batch, its halves are
  // computed one after the other; the step is the same except for batch
  // statistics. If there are ranks, each computes its part of the batch.
  // OUT_OF_RANGE: not finite. RESOURCE_EXHAUSTED: not even one case fits.
  absl::StatusOr<double> TrainBatch(Batch& batch, double rate_factor,
                                    Rng& dropout);

  // Returns the Grad-CAM heat (grad_cam.h) of classes[i] in case i: [n, size,
  // size], 0 to 1, for pixels [n, size, size].
  absl::StatusOr<std::vector<float>> Heat(std::vector<float>& pixels,
                                          const std::vector<int>& classes);

  // Returns logits [n, classes], row-major.
  absl::StatusOr<std::vector<float>> Predict(Inputs& inputs);

 private:
  struct Impl;
  explicit Module(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_CLASSIFICATION_MODULE_H_
