// SPDX-License-Identifier: Apache-2.0
// A trained network from a file, applied to one image at a time.
#ifndef HILUM_SITE_AGENT_TRAINER_HEATMAP_HEATMAP_MODEL_H_
#define HILUM_SITE_AGENT_TRAINER_HEATMAP_HEATMAP_MODEL_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/model/model_facts.h"
#include "site_agent/imaging/prepare.h"
#include "site_agent/trainer/models/cam_method.h"

namespace hilum {

// Not thread-safe.
class HeatmapModel {
 public:
  // Opens a file of weights. Messages begin with the path. Errors as
  // WeightsFile::Open, FactsOf and FitWeights; INTERNAL: Torch.
  static absl::StatusOr<std::unique_ptr<HeatmapModel>> Open(
      const std::string& path, const ModelNotes& notes);
  ~HeatmapModel();

  const ModelFacts& facts() const { return facts_; }
  const std::string& sha256() const { return sha256_; }  // the file's, in hex

  struct Answer {
    std::vector<double> probabilities;  // [classes]
    int label;                          // the explained class
    std::vector<float> heat;            // [input_size^2], see GradCam::Maps
  };
  // Classifies `plane` [input_size^2] and explains `label`, or the most
  // probable class. INTERNAL: Torch.
  absl::StatusOr<Answer> Explain(const Plane& plane, std::optional<int> label,
                                 CamMethod method);

 private:
  struct Loaded;
  HeatmapModel(ModelFacts facts, std::string sha256,
               std::unique_ptr<Loaded> loaded);

  ModelFacts facts_;
  std::string sha256_;
  std::unique_ptr<Loaded> loaded_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_HEATMAP_HEATMAP_MODEL_H_
