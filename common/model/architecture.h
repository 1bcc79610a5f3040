// SPDX-License-Identifier: Apache-2.0
// The architectures that Hilum knows, as plain tables: which tensors they
// have, in which order, how each starts. No tensor library is needed to
// coordinate, inspect or aggregate them.
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

// What a tensor is to the layer that has it: by this, and never by names, is
// decided what decays, what is learned and what batch normalisation is.
enum class TensorRole {
  kWeight,          // of a convolution or a linear layer
  kBias,            // of one
  kNormScale,       // of group normalisation
  kNormShift,       // of it
  kBatchNormScale,  // of batch normalisation, as all below
  kBatchNormShift,
  kRunningMean,      // moved by what passes, not by gradients
  kRunningVariance,  // as kRunningMean; never below 0
};

constexpr bool IsBatchNorm(TensorRole role) {
  return role >= TensorRole::kBatchNormScale;
}
// Has a gradient.
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

// What the tensors of a study's model follow from.
struct ModelShape {
  std::string name;  // of KnownArchitectures, or hilum_lungs_unet
  int classes;
  int head_units = 0;      // as v1::Model has it
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

// Those that classify, in the registry's order. The registry also has
// hilum_lungs_unet (lungs_unet.h).
std::vector<std::string> KnownArchitectures();

// NOT_FOUND lists the known names. INVALID_ARGUMENT: classes not from 2 to
// 10,000, head_units not from 0 to 4,096, other channels.
absl::StatusOr<Architecture> LookUpArchitecture(const ModelShape& shape);

// How a study's tensors divide. Every tensor is either frozen or travelling.
// Batch normalisation is frozen in blocks that are not trained; in the others
// as the study's model.batch_norm says: frozen; frozen and local; travelling.
// Where there is none, the three are the same.
struct ParameterLayout {
  Architecture architecture;
  int first_trained;                   // block; num_blocks: the head alone
  bool averages_batch_norm;            // of the trained blocks
  std::vector<TensorSpec> frozen;      // registry order
  std::vector<TensorSpec> travelling;  // registry order, never empty
  // Of the frozen ones those that each site trains and keeps (FedBN): they
  // start as the frozen blob has them. Registry order.
  std::vector<TensorSpec> local;
  int64_t frozen_size;          // elements
  int64_t travelling_size;      // elements, of one track
  int64_t local_size;           // elements, of one track
  std::string manifest_sha256;  // ManifestSha256(architecture)

  bool Travels(const TensorSpec& tensor) const;  // of architecture.tensors
};

// INVALID_ARGUMENT: as LookUpArchitecture and an unknown architecture;
// last_blocks over num_blocks.
absl::StatusOr<ParameterLayout> StudyLayout(const v1::Study& study);

// Digest of "name dtype shape" lines of every tensor, registry order; what
// SubmitCensusRequest.manifest_sha256 carries.
std::string ManifestSha256(const std::vector<TensorSpec>& tensors);

// One tensor as it starts, [size()], from its own stream of `seed`.
std::vector<float> InitialTensor(const TensorSpec& tensor, uint64_t seed);

// Every tensor in registry order, float32, each as InitialTensor has it.
std::vector<float> InitialWeights(const Architecture& architecture,
                                  uint64_t seed);

}  // namespace hilum

#endif  // HILUM_COMMON_MODEL_ARCHITECTURE_H_
