// SPDX-License-Identifier: Apache-2.0
// The architectures that Hilum knows, as plain tables: their tensors, the order
// of these, and the starting values. Coordinating, inspecting and aggregating
// needs no tensor library.
#ifndef HILUM_COMMON_MODEL_ARCHITECTURE_H_
#define HILUM_COMMON_MODEL_ARCHITECTURE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

enum class Init {
  kZero,
  kOne,
  kHeNormal,  // N(0, sqrt(2 / fan_in)), fan_in = product of shape[1:]
};

// The role of a tensor in its layer. The role, never the name, decides which
// tensors decay, which are learned and which are batch normalisation.
enum class TensorRole {
  kWeight,          // of a convolution or a linear layer
  kBias,            // of a convolution or a linear layer
  kNormScale,       // of group normalisation
  kNormShift,       // of group normalisation
  kBatchNormScale,  // of batch normalisation, as all below
  kBatchNormShift,
  kRunningMean,      // changed by the forward pass, not by gradients
  kRunningVariance,  // as kRunningMean; never below 0
};

constexpr bool IsBatchNorm(TensorRole role) {
  return role >= TensorRole::kBatchNormScale;
}
// Returns whether a tensor with this role has a gradient.
constexpr bool IsLearned(TensorRole role) {
  return role < TensorRole::kRunningMean;
}

// One float32 tensor, row-major.
struct TensorSpec {
  std::string name;  // torchvision's key, e.g. features.0.weight
  std::vector<int64_t> shape;
  Init init;
  int block;  // see Architecture::num_blocks
  TensorRole role = TensorRole::kWeight;

  int64_t size() const;  // elements
};

// Identifies the tensors of a study's model.
struct ModelShape {
  std::string name;  // of KnownArchitectures, or hilum_lungs_unet
  int classes;
  int head_units = 0;      // as in v1::Model
  int input_channels = 0;  // 1 or 3; 0: the architecture's own
};

struct Architecture {
  std::string name;
  int input_channels;               // 1 or 3
  int num_blocks;                   // trunk blocks 0 .. n-1; n is the head
  std::vector<TensorSpec> tensors;  // registry order
  int classes = 0;
  int head_units = 0;
};

// Returns the names of the classifiers, in the registry's order. The registry
// also has hilum_lungs_unet (lungs_unet.h).
std::vector<std::string> KnownArchitectures();

// NOT_FOUND lists the known names. INVALID_ARGUMENT: classes not from 2 to
// 10,000, head_units not from 0 to 4,096, channels neither 1 nor 3.
absl::StatusOr<Architecture> LookUpArchitecture(const ModelShape& shape);

// A study's tensors, each of which is either frozen or travelling. Batch
// normalisation is frozen in blocks that are not trained. In trained blocks the
// study's model.batch_norm decides: frozen; frozen and local; travelling. Where
// there is none, the three are the same.
struct ParameterLayout {
  Architecture architecture;
  int first_trained;                   // block; num_blocks: the head alone
  bool averages_batch_norm;            // of the trained blocks
  std::vector<TensorSpec> frozen;      // registry order
  std::vector<TensorSpec> travelling;  // registry order, never empty
  // The frozen tensors that each site trains and keeps (FedBN); they start with
  // the values in the frozen blob. Registry order.
  std::vector<TensorSpec> local;
  int64_t frozen_size;          // elements
  int64_t travelling_size;      // elements, of one track
  int64_t local_size;           // elements, of one track
  std::string manifest_sha256;  // ManifestSha256(architecture)

  bool Travels(const TensorSpec& tensor) const;  // one of architecture.tensors
};

// INVALID_ARGUMENT: the errors of LookUpArchitecture, an unknown architecture,
// or last_blocks over num_blocks.
absl::StatusOr<ParameterLayout> StudyLayout(const v1::Study& study);

// Returns the digest of "name dtype shape" lines of every tensor, in registry
// order (SubmitCensusRequest.manifest_sha256).
std::string ManifestSha256(const std::vector<TensorSpec>& tensors);

// Returns one tensor's starting values, [size()], from its own stream of
// `seed`.
std::vector<float> InitialTensor(const TensorSpec& tensor, uint64_t seed);

// Returns every tensor's starting values in registry order, float32
// (InitialTensor).
std::vector<float> InitialWeights(const Architecture& architecture,
                                  uint64_t seed);

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_ARCHITECTURE_H_
