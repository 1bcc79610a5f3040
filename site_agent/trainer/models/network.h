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

// How a block computes; as when evaluating by default.
struct Pass {
  Rng* dropout = nullptr;  // drives dropout; null: none
  // Batch normalisation by the batch's own statistics, by which the running
  // ones move (layers.h); else by the running ones.
  bool update_statistics = false;
  // Where x is a piece of a batch: its first case, of so many. What is drawn
  // for a case does not depend on the pieces.
  int64_t first = 0, total = 0;  // total 0: x is the batch
  // Who have the other pieces at the same time, for statistics of the batch.
  Ranks* ranks = nullptr;
};

// One architecture over given parameters, as the blocks of its table: 0 ..
// num_blocks - 1 the trunk, num_blocks the head. Somewhere among them maps
// [n, channels, height, width] are pooled into vectors [n, length]. Not
// thread-safe.
class Network {
 public:
  virtual ~Network() = default;

  int num_blocks() const { return num_blocks_; }
  // The first block that takes vectors; 1 .. num_blocks.
  int pool_block() const { return pool_block_; }

  virtual at::Tensor Block(int block, const at::Tensor& x,
                           const Pass& pass) = 0;
  // What block pool_block() takes of the map before it.
  virtual at::Tensor Pool(const at::Tensor& map) = 0;

 protected:
  Network(int num_blocks, int pool_block)
      : num_blocks_(num_blocks), pool_block_(pool_block) {}

 private:
  const int num_blocks_, pool_block_;
};

// What block `last` takes, of what block `first` takes: blocks first ..
// last - 1, pooled where `last` takes vectors and `first` does not.
// last = num_blocks + 1: the logits [n, classes].
at::Tensor Run(Network& network, int first, int last, const at::Tensor& x,
               const Pass& pass);

// `tensors` [architecture.tensors], registry order; the network computes with
// them, not with copies. NOT_FOUND: no such architecture here.
// INVALID_ARGUMENT: as Finish.
absl::StatusOr<std::unique_ptr<Network>> MakeNetwork(
    const Architecture& architecture, const std::vector<at::Tensor>& tensors);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_MODELS_NETWORK_H_
