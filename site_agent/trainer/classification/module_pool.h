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

// Modules of one study, which share their frozen parameters, for work side by
// side: one for each thread, which then computes alone, so that the number of
// threads changes no bit. A network too large to be held several times, on a
// GPU, or one that ranks share is one module with all threads.
class ModulePool {
 public:
  // `whole_passes`: images go through frozen blocks in every step, too.
  static absl::StatusOr<std::unique_ptr<ModulePool>> Create(
      const ParameterLayout& layout, const v1::Study& study,
      const ModuleOptions& options, int threads, bool whole_passes);

  Module& first() { return modules_.first(); }
  absl::Status LoadFrozenFile(const std::string& path) {
    return first().LoadFrozenFile(path);
  }

  // `make` for items 0 .. count - 1, side by side, each with a module of its
  // own; `consume` in their order. As RunOrdered.
  template <typename Item>
  absl::Status ForEach(
      int64_t count,
      absl::FunctionRef<absl::Status(Module&, int64_t, Item&)> make,
      absl::FunctionRef<absl::Status(int64_t, Item&)> consume) {
    return Run<Item>(count, modules_.size(), make, consume);
  }
  // The same for what frozen blocks compute: one by one where they are large.
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
