// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/learning/device.h"

#include <ATen/Context.h>
#include <ATen/ops/zeros.h>

#include <cstdlib>
#include <exception>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"

namespace hilum {
namespace {

absl::Status TryDevice(const ComputeDevice& device) try {
  if (!at::hasCUDA()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "device ", device.name(),
        ": this LibTorch has no CUDA, or this machine no GPU that it can use; "
        "install a LibTorch with CUDA (CMAKE_PREFIX_PATH) or use device cpu"));
  }
  at::zeros({1}, at::TensorOptions(at::Device(at::kCUDA, device.index)));
  return absl::OkStatus();
} catch (const std::exception& e) {
  const std::string what = e.what();
  return absl::FailedPreconditionError(
      absl::StrCat("device ", device.name(),
                   " cannot be used: ", what.substr(0, what.find('\n')),
                   "; see trainer.devices in the site's configuration"));
}

}  // namespace

std::string ComputeDevice::name() const {
  return cuda ? absl::StrCat("cuda:", index) : "cpu";
}

absl::StatusOr<ComputeDevice> FindDevice(absl::string_view name) {
  ComputeDevice device;
  if (name.empty() || name == "cpu") return device;
  device.cuda = true;
  const bool indexed = name.substr(0, 5) == "cuda:";
  if (name != "cuda" &&
      (!indexed || !absl::SimpleAtoi(name.substr(5), &device.index) ||
       device.index < 0 || device.index > 127)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "device '", name, "' is not one; give cpu, cuda or cuda:N"));
  }
  absl::Status status = TryDevice(device);
  if (!status.ok()) return status;
  return device;
}

bool HasBfloat16(const ComputeDevice& device) {
  if (device.cuda) return true;
  static const bool has = [] {
    absl::StatusOr<std::string> cpu = ReadFile("/proc/cpuinfo");
    return cpu.ok() && (cpu->find("avx512_bf16") != std::string::npos ||
                        cpu->find("amx_bf16") != std::string::npos);
  }();
  return has;
}

void SetDeterministic(bool deterministic) {
  // cuBLAS is deterministic only with this variable, and reads it when CUDA
  // starts.
  if (deterministic) setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
  at::globalContext().setDeterministicAlgorithms(deterministic,
                                                 /*warn_only=*/true);
  at::globalContext().setDeterministicCuDNN(deterministic);
  at::globalContext().setBenchmarkCuDNN(!deterministic);
}

}  // namespace hilum
