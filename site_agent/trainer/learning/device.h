// SPDX-License-Identifier: Apache-2.0
// What a site computes on.
#ifndef HILUM_SITE_AGENT_TRAINER_LEARNING_DEVICE_H_
#define HILUM_SITE_AGENT_TRAINER_LEARNING_DEVICE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hilum {

struct ComputeDevice {
  bool cuda = false;
  int index = 0;  // of CUDA's devices

  std::string name() const;  // cpu, cuda:0, ...
};

// cpu, cuda (the first) or cuda:N; empty: cpu. INVALID_ARGUMENT: anything
// else. FAILED_PRECONDITION: no such device in this machine, or a LibTorch
// that was built without CUDA.
absl::StatusOr<ComputeDevice> FindDevice(absl::string_view name);

// Whether convolutions in bfloat16 are worth it there: CPUs with AVX512-BF16
// or AMX, and GPUs.
bool HasBfloat16(const ComputeDevice& device);

// Of the whole process, before it computes: kernels that give the same bits
// each time, where Torch has them, or the fastest.
void SetDeterministic(bool deterministic);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_LEARNING_DEVICE_H_
