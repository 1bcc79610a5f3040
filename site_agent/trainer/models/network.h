// SPDX-License-Identifier: Apache-2.0
// The architectures of common/model as forward passes.
#ifndef HILUM_SITE_AGENT_TRAINER_MODELS_NETWORK_H_
#define HILUM_SITE_AGENT_TRAINER_MODELS_NETWORK_H_

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/rng.h"
#include "common/model/architecture.h"

namespace hilum {

// Hands a table's tensors to a network by name and shape. Every tensor must
// be taken exactly once: so a network that builds is the table's.
class TensorTable {
 public:
  // `tensors` [architecture.tensors], registry order.
  TensorTable(const Architecture& architecture,
              const std::vector<at::Tensor>& tensors);
  at::Tensor Take(const std::string& name, std::vector<int64_t> shape);
  // INVALID_ARGUMENT: what was asked for and is not in the table, has
  // another shape or was taken before, or what nobody took.
  absl::Status Finish() const;

 private:
  struct Entry {
    at::Tensor tensor;
    bool taken = false;
  };
  std::map<std::string, Entry> entries_;
  std::string fault_;
};

// One architecture over given parameters. Not thread-safe.
class Network {
 public:
  virtual ~Network() = default;
  // [n, channels, size, size] to [n, classes]. `dropout` drives dropout while
  // training; null when evaluating.
  virtual at::Tensor Forward(const at::Tensor& input, Rng* dropout) = 0;
};

std::unique_ptr<Network> MakeHilumSmall(TensorTable& table, int num_classes);
std::unique_ptr<Network> MakeVgg16(TensorTable& table, int num_classes);

// NOT_FOUND: no such architecture here. INVALID_ARGUMENT: as Finish.
absl::StatusOr<std::unique_ptr<Network>> MakeNetwork(
    const Architecture& architecture, const std::vector<at::Tensor>& tensors,
    int num_classes);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_MODELS_NETWORK_H_
