// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/classification/module_pool.h"

#include <utility>

#include "common/base/status_macros.h"

namespace hilum {
namespace {

// A network up to this size is held once for each thread.
constexpr int64_t kMostBytesPerThread = 64 << 20;

bool IsLarge(int64_t elements) {
  return elements * int64_t{sizeof(float)} > kMostBytesPerThread;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ModulePool>> ModulePool::Create(
    const ParameterLayout& layout, const v1::Study& study,
    const ModuleOptions& options, int threads, bool whole_passes) {
  const bool large_trunk = IsLarge(layout.frozen_size);
  const bool one = options.device.cuda || options.ranks != nullptr ||
                   IsLarge(layout.travelling_size) ||
                   (large_trunk && whole_passes);
  std::unique_ptr<ModulePool> pool(new ModulePool(threads, large_trunk || one));
  HILUM_ASSIGN_OR_RETURN(std::unique_ptr<Module> first,
                         Module::Create(layout, study, options));
  pool->modules_.Add(std::move(first));
  for (int i = 1; i < (one ? 1 : threads); ++i) {
    HILUM_ASSIGN_OR_RETURN(std::unique_ptr<Module> sibling,
                           pool->first().CreateSibling());
    pool->modules_.Add(std::move(sibling));
  }
  return pool;
}

}  // namespace hilum
