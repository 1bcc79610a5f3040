// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_MODELS_RANKS_H_
#define HILUM_SITE_AGENT_TRAINER_MODELS_RANKS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "site_agent/trainer/models/rank_options.h"

namespace at {
class Tensor;
}

namespace hilum {

// Communication between the ranks: c10d with NCCL if this LibTorch has it and
// all ranks compute on GPUs, else with Gloo over loopback. Calls block until
// all ranks have made them, in the same order and with tensors of the same
// shapes. When a rank dies, the calls of the others throw. Not thread-safe.
class Ranks {
 public:
  // Waits for all ranks. UNAVAILABLE: one is missing, or LibTorch has no c10d.
  static absl::StatusOr<std::unique_ptr<Ranks>> Join(const RankOptions& options,
                                                     bool cuda);
  ~Ranks();

  int rank() const { return options_.rank; }
  int size() const { return options_.size; }

  // This rank's cases [first, first + count) of a batch of n.
  struct Slice {
    int64_t first, count;
  };
  Slice SliceOf(int64_t n) const;

  // Replaces each tensor with its sum over all ranks. Throws c10::Error.
  void Sum(std::vector<at::Tensor>& tensors);
  // Returns the sum over all ranks as a new tensor with a gradient: each rank's
  // tensor gets the sum of all ranks' gradients.
  at::Tensor DifferentiableSum(const at::Tensor& tensor);

 private:
  struct Group;
  Ranks(const RankOptions& options, std::unique_ptr<Group> group);

  const RankOptions options_;
  std::unique_ptr<Group> group_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_MODELS_RANKS_H_
