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
#include "absl/strings/string_view.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

enum class Init {
  kZero,
  kOne,
  kHeNormal,  // N(0, sqrt(2 / fan_in)), fan_in = product of shape[1:]
};

// One float32 tensor, row-major.
struct TensorSpec {
  std::string name;  // torchvision's key, e.g. features.0.weight
  std::vector<int64_t> shape;
  Init init;
  int block;  // see Architecture::num_blocks

  int64_t size() const;  // elements
};

struct Architecture {
  std::string name;
  int input_channels;               // 1 or 3
  int num_blocks;                   // trunk blocks 0 .. n-1; n is the head
  std::vector<TensorSpec> tensors;  // registry order
};

// In the registry's order.
std::vector<std::string> KnownArchitectures();

// NOT_FOUND lists the known names.
absl::StatusOr<Architecture> LookUpArchitecture(absl::string_view name,
                                                int num_classes);

// How a study's tensors divide.
struct ParameterLayout {
  Architecture architecture;
  std::vector<TensorSpec> frozen;      // registry order
  std::vector<TensorSpec> travelling;  // registry order, never empty
  int64_t frozen_size;                 // elements
  int64_t travelling_size;             // elements, of one track
  std::string manifest_sha256;         // ManifestSha256(architecture)
};

// INVALID_ARGUMENT: unknown architecture, last_blocks over num_blocks.
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
