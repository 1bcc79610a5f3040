// SPDX-License-Identifier: Apache-2.0
// The device that a site computes on.
#ifndef HILUM_SITE_AGENT_TRAINER_LEARNING_DEVICE_H_
#define HILUM_SITE_AGENT_TRAINER_LEARNING_DEVICE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hilum {

struct ComputeDevice {
  bool cuda = false;
  int index = 0;  // among CUDA's devices

  std::string name() const;  // cpu, cuda:0, ...
};

// Finds cpu, cuda (the first) or cuda:N; empty: cpu. INVALID_ARGUMENT: anything
// else. FAILED_PRECONDITION: this machine has no such device, or LibTorch was
// built without CUDA.
absl::StatusOr<ComputeDevice> FindDevice(absl::string_view name);

// Returns whether bfloat16 makes convolutions faster on the device: CPUs with
// AVX512-BF16 or AMX, and GPUs.
bool HasBfloat16(const ComputeDevice& device);

// Chooses for the whole process kernels that give the same bits each time,
// where Torch has them, or the fastest. Call before computing.
void SetDeterministic(bool deterministic);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_LEARNING_DEVICE_H_
