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

class Ranks;

// Hands a table's tensors to a network by name and shape. Each tensor must be
// taken exactly once, so that the network that was built matches the table.
class TensorTable {
 public:
  // `tensors` [architecture.tensors], registry order.
  TensorTable(const Architecture& architecture,
              const std::vector<at::Tensor>& tensors);
  at::Tensor Take(const std::string& name, std::vector<int64_t> shape);
  // INVALID_ARGUMENT: a requested tensor is not in the table, has another shape
  // or was taken before; or a tensor was not taken.
  absl::Status Finish() const;

 private:
  struct Entry {
    at::Tensor tensor;
    bool taken = false;
  };
  std::map<std::string, Entry> entries_;
  std::string fault_;
};

// The mode of computing a block; evaluation by default.
struct Pass {
  Rng* dropout = nullptr;  // drives dropout; null: none
  // Batch normalisation uses the batch's own statistics and moves the running
  // ones (layers.h); otherwise it uses the running ones.
  bool update_statistics = false;
  // If x is a piece of a batch: its first case, and the batch's cases. Random
  // draws for a case do not depend on the pieces.
  int64_t first = 0, total = 0;  // total 0: x is the batch
  // The processes with the other pieces, for the batch's statistics.
  Ranks* ranks = nullptr;
};

// One architecture with given parameters, as the blocks of its table: 0 ..
// num_blocks - 1 are the trunk, num_blocks is the head. One block pools maps
// [n, channels, height, width] into vectors [n, length]. Not thread-safe.
class Network {
 public:
  virtual ~Network() = default;

  int num_blocks() const { return num_blocks_; }
  // Returns the first block that takes vectors; 1 .. num_blocks.
  int pool_block() const { return pool_block_; }

  virtual at::Tensor Block(int block, const at::Tensor& x,
                           const Pass& pass) = 0;
  // Pools the map before block pool_block() into that block's input.
  virtual at::Tensor Pool(const at::Tensor& map) = 0;

 protected:
  Network(int num_blocks, int pool_block)
      : num_blocks_(num_blocks), pool_block_(pool_block) {}

 private:
  const int num_blocks_, pool_block_;
};

// Runs blocks first .. last - 1 on the input of block `first`, and returns the
// input of block `last`; pools where `last` takes vectors and `first` does not.
// last = num_blocks + 1: returns the logits [n, classes].
at::Tensor Run(Network& network, int first, int last, const at::Tensor& x,
               const Pass& pass);

// Makes the network. `tensors` [architecture.tensors], registry order; the
// network computes with them, not with copies. NOT_FOUND: no such architecture
// here. INVALID_ARGUMENT: see TensorTable::Finish.
absl::StatusOr<std::unique_ptr<Network>> MakeNetwork(
    const Architecture& architecture, const std::vector<at::Tensor>& tensors);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_MODELS_NETWORK_H_
