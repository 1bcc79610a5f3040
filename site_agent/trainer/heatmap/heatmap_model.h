// SPDX-License-Identifier: Apache-2.0
// A trained network from a file, applied to one image at a time.
#ifndef HILUM_SITE_AGENT_TRAINER_HEATMAP_HEATMAP_MODEL_H_
#define HILUM_SITE_AGENT_TRAINER_HEATMAP_HEATMAP_MODEL_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/model/architecture.h"
#include "common/model/tensor_view.h"
#include "hilum/v1/study.pb.h"
#include "site_agent/imaging/prepare.h"
#include "site_agent/trainer/models/cam_method.h"

namespace hilum {

// Facts about a model that the user gives in place of those in its file; empty
// or 0: the file's.
struct ModelNotes {
  std::string architecture;
  std::vector<std::string> classes;
  std::string preprocessing;
  int input_size = 0;  // pixels
};

struct ModelFacts {
  Architecture architecture;
  std::vector<std::string> classes;
  v1::Model::Preprocessing preprocessing;
  int input_size;
  std::string track;  // e.g. "whole-final"; empty: the file does not say
};

// Returns the facts from `notes`, else from a file's metadata (architecture,
// classes, preprocessing, input_size, track), else from its tensors:
// architecture, head and channels. INVALID_ARGUMENT: a fact that none of them
// gives (the message names the option for it); tensors of no architecture;
// another number of classes than the head's; an input_size not from 32 to 1024.
absl::StatusOr<ModelFacts> FactsOf(
    const std::vector<NamedTensor>& tensors,
    const std::map<std::string, std::string>& metadata,
    const ModelNotes& notes);

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
