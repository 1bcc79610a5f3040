// SPDX-License-Identifier: Apache-2.0
// Reads what a file of weights says of its model. A model is used as it was
// trained: with its input, and its classes in their order.
#ifndef HILUM_COMMON_MODEL_MODEL_FACTS_H_
#define HILUM_COMMON_MODEL_MODEL_FACTS_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/model/architecture.h"
#include "common/model/tensor_view.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// Keys of a file's metadata; docs/weights.md has their values.
inline constexpr char kArchitectureKey[] = "architecture";
inline constexpr char kArmKey[] = "arm";  // whole, segmented
inline constexpr char kClassesKey[] = "classes";
inline constexpr char kGrayQuantilesKey[] = "gray_quantiles";
inline constexpr char kInputSizeKey[] = "input_size";
inline constexpr char kJudgeMasksKey[] = "judge_masks";  // true, false
inline constexpr char kTaskKey[] = "task";  // classification, segmentation
inline constexpr char kTrackKey[] = "track";

using WeightsMetadata = std::map<std::string, std::string>;

// Returns a key's value; empty: the file does not say it.
std::string Said(const WeightsMetadata& metadata, const std::string& key);

// Returns the classes in the order of the head's outputs; empty: not said.
std::vector<std::string> ClassesSaid(const WeightsMetadata& metadata);

// Returns the arm that the model was trained on, "whole" or "segmented"; from
// the track's name where the file has no arm; empty: not said.
std::string ArmSaid(const WeightsMetadata& metadata);

// Returns the input's side in pixels. nullopt: not said, or no number.
std::optional<int> InputSizeSaid(const WeightsMetadata& metadata);

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
  std::string arm;    // "whole", "segmented"; empty: the file does not say
  // A mask that does not look like two lungs was not used in training.
  bool judge_masks = true;
  // Grays of the training images at kGrayQuantiles (fingerprint.h), 0 to 1;
  // empty: the file does not say.
  std::vector<double> gray_quantiles;
};

// Returns the facts from `notes`, else from a file's metadata, else from its
// tensors: architecture, head and channels. INVALID_ARGUMENT: a fact that none
// of them gives (the message names the option for it); tensors of no
// architecture, or of one that does not classify; another number of classes
// than the head's; an input_size not from 32 to 1024.
absl::StatusOr<ModelFacts> FactsOf(const std::vector<NamedTensor>& tensors,
                                   const WeightsMetadata& metadata,
                                   const ModelNotes& notes);

// Returns INVALID_ARGUMENT where two models cannot share their inputs and
// outputs: "its classes are a, b, not b, a". Compares architecture (with its
// head and channels), classes, input size, preprocessing and arm.
absl::Status CheckAlike(const ModelFacts& facts, const ModelFacts& wanted);

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_MODEL_FACTS_H_
