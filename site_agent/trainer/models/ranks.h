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

// The processes together: c10d with NCCL where this LibTorch has it and all
// compute on GPUs, else with Gloo over loopback. Calls block until all ranks
// have made them, in the same order and with tensors of the same shapes. When
// a rank dies, those of the others throw. Not thread-safe.
class Ranks {
 public:
  // Waits for all. UNAVAILABLE: they do not come, or LibTorch has no c10d.
  static absl::StatusOr<std::unique_ptr<Ranks>> Join(const RankOptions& options,
                                                     bool cuda);
  ~Ranks();

  int rank() const { return options_.rank; }
  int size() const { return options_.size; }

  // What the cases [first, first + count) of a batch of n are to this rank.
  struct Slice {
    int64_t first, count;
  };
  Slice SliceOf(int64_t n) const;

  // Each tensor becomes its sum over all ranks. Throws c10::Error.
  void Sum(std::vector<at::Tensor>& tensors);
  // A new tensor that is the sum over all ranks, through which gradients go
  // back: each rank's tensor gets the sum of all ranks' gradients.
  at::Tensor DifferentiableSum(const at::Tensor& tensor);

 private:
  struct Group;
  Ranks(const RankOptions& options, std::unique_ptr<Group> group);

  const RankOptions options_;
  std::unique_ptr<Group> group_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_MODELS_RANKS_H_
