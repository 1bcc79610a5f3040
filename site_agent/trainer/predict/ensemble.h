// SPDX-License-Identifier: Apache-2.0
// Trained networks from files, which classify together.
#ifndef HILUM_SITE_AGENT_TRAINER_PREDICT_ENSEMBLE_H_
#define HILUM_SITE_AGENT_TRAINER_PREDICT_ENSEMBLE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/model/model_facts.h"
#include "site_agent/trainer/learning/device.h"

namespace hilum {

struct EnsembleOptions {
  ModelNotes notes;  // of all models
  ComputeDevice device;
};

// One or several networks of the same shape. Not thread-safe; each sibling has
// networks of its own, over the same weights in memory.
class Ensemble {
 public:
  // Opens files of weights. INVALID_ARGUMENT also: models that are not alike
  // (CheckAlike), or one file twice. Messages begin with the path. Otherwise
  // errors as WeightsFile::Open, FactsOf and FitWeights; INTERNAL: Torch.
  static absl::StatusOr<std::unique_ptr<Ensemble>> Open(
      absl::Span<const std::string> paths, const EnsembleOptions& options);
  absl::StatusOr<std::unique_ptr<Ensemble>> CreateSibling() const;
  ~Ensemble();

  // Sets the number of Torch's threads for calls from this thread.
  static void SetThreads(int threads);

  // Facts of the models; their gray quantiles are the means over the models
  // that have some.
  const ModelFacts& facts() const;
  // The files' names without folder and suffix, in the order of `paths`; with
  // suffix where two would be the same.
  const std::vector<std::string>& names() const;

  // Returns the softmax of each model's logits, [models][n * classes], of
  // pixels [n, size, size], gray, 0 to 1. INTERNAL: Torch.
  absl::StatusOr<std::vector<std::vector<double>>> Predict(
      std::vector<float>& pixels);

 private:
  struct Impl;
  explicit Ensemble(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_PREDICT_ENSEMBLE_H_
