// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_CLASSIFICATION_MODULE_POOL_H_
#define HILUM_SITE_AGENT_TRAINER_CLASSIFICATION_MODULE_POOL_H_

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "site_agent/trainer/classification/module.h"
#include "site_agent/trainer/learning/network_pool.h"

namespace hilum {

// Modules of one study, which share their frozen parameters, for parallel work.
// Each thread has a module and computes alone, so that the number of threads
// changes no bit. One module with all threads serves instead where the network
// is too large to be held several times, runs on a GPU, or is shared by ranks.
class ModulePool {
 public:
  // `whole_passes`: images go through the frozen blocks in every step.
  static absl::StatusOr<std::unique_ptr<ModulePool>> Create(
      const ParameterLayout& layout, const v1::Study& study,
      const ModuleOptions& options, int threads, bool whole_passes);

  Module& first() { return modules_.first(); }
  absl::Status LoadFrozenFile(const std::string& path) {
    return first().LoadFrozenFile(path);
  }

  // Calls `make` for items 0 .. count - 1 in parallel, each with a module of
  // its own, and `consume` in the items' order; see RunOrdered.
  template <typename Item>
  absl::Status ForEach(
      int64_t count,
      absl::FunctionRef<absl::Status(Module&, int64_t, Item&)> make,
      absl::FunctionRef<absl::Status(int64_t, Item&)> consume) {
    return Run<Item>(count, modules_.size(), make, consume);
  }
  // Does the same for the outputs of frozen blocks, one by one where these are
  // large.
  template <typename Item>
  absl::Status ForEachPass(
      int64_t count,
      absl::FunctionRef<absl::Status(Module&, int64_t, Item&)> make,
      absl::FunctionRef<absl::Status(int64_t, Item&)> consume) {
    return Run<Item>(count, wide_passes_ ? 1 : modules_.size(), make, consume);
  }

 private:
  ModulePool(int threads, bool wide_passes)
      : threads_(threads), wide_passes_(wide_passes) {}

  template <typename Item>
  absl::Status Run(
      int64_t count, int side_by_side,
      absl::FunctionRef<absl::Status(Module&, int64_t, Item&)> make,
      absl::FunctionRef<absl::Status(int64_t, Item&)> consume) {
    return modules_.ForEach<Item>(
        count, side_by_side, side_by_side == 1 ? threads_ : 1, make, consume);
  }

  const int threads_;
  const bool wide_passes_;
  NetworkPool<Module> modules_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_CLASSIFICATION_MODULE_POOL_H_
