// SPDX-License-Identifier: Apache-2.0
// A network that learns, in plain types: behind it, and nowhere else, Torch.
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

// n cases as a network takes them.
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
  // [classes], added to the logits before the loss; empty: nothing.
  std::vector<float> logit_offsets;
};

struct ModuleOptions {
  ComputeDevice device;
  bool bfloat16 = false;  // as v1::Training's precision; the device has it
  // A batch of more cases is taken in pieces of so many; 0: only where the
  // memory is too small.
  int64_t most_at_once = 0;
  // Processes that share each training batch; outlives the module. Each makes
  // the same calls with the same arguments.
  Ranks* ranks = nullptr;
};

// One network and its optimiser. LoadFrozen, then for each track Load
// (TrainBatch* | Predict | Features)* Travelling Local. Load starts the
// optimiser afresh. Blocks that are not trained compute as when evaluating:
// without dropout, by their running statistics. Not thread-safe; several may
// run in threads of their own, and each gives the same bits whatever runs
// beside it.
class Module {
 public:
  // INVALID_ARGUMENT: a network unlike its table.
  static absl::StatusOr<std::unique_ptr<Module>> Create(
      const ParameterLayout& layout, const v1::Study& study,
      const ModuleOptions& options = {});
  // Another for the same study, which has this one's frozen parameters: one
  // memory, loaded once. Not while this one loads them.
  absl::StatusOr<std::unique_ptr<Module>> CreateSibling() const;
  ~Module();

  // Threads for calls from this thread.
  static void SetThreads(int threads);

  // [frozen_size] and [travelling_size] of the layout. INVALID_ARGUMENT:
  // wrong length.
  absl::Status LoadFrozen(absl::Span<const float> values);
  absl::Status Load(absl::Span<const float> values);
  // The frozen blob, read into the parameters' own memory. DATA_LOSS: shorter.
  absl::Status LoadFrozenFile(const std::string& path);
  // [local_size], after Load, which lets them start as frozen ones do.
  absl::Status LoadLocal(absl::Span<const float> values);
  std::vector<float> Travelling() const;
  std::vector<float> Local() const;

  // Floats of a case's features: what the first trained block takes of it.
  // Where that is the first of all, there are none: 0.
  absl::StatusOr<int64_t> FeatureSize();
  // [n, FeatureSize()] of pixels [n, size, size].
  absl::StatusOr<std::vector<float>> Features(std::vector<float>& pixels);

  // One step, at the study's rate times `rate_factor`, down mean(weight *
  // loss). The sum of weight * loss over the batch, before the step. Where the
  // device's memory is too small for the batch, halves of it are taken one
  // after the other: one step all the same, but for batch statistics. With
  // ranks, each computes its part of the batch. OUT_OF_RANGE: not finite.
  // RESOURCE_EXHAUSTED: not even one case fits.
  absl::StatusOr<double> TrainBatch(Batch& batch, double rate_factor,
                                    Rng& dropout);

  // Where it looks for classes[i] in case i: [n, size, size], 0 to 1, by
  // Grad-CAM (grad_cam.h), of pixels [n, size, size].
  absl::StatusOr<std::vector<float>> Heat(std::vector<float>& pixels,
                                          const std::vector<int>& classes);

  // Logits [n, classes], row-major.
  absl::StatusOr<std::vector<float>> Predict(Inputs& inputs);

 private:
  struct Impl;
  explicit Module(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_CLASSIFICATION_MODULE_H_
