// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/learning/mixed_precision.h"

#include <ATen/autocast_mode.h>

namespace hilum {
namespace {

void Switch(bool cuda, bool on) {
  if (cuda) {
    at::autocast::set_autocast_gpu_dtype(at::kBFloat16);
    at::autocast::set_enabled(on);
  } else {
    at::autocast::set_autocast_cpu_dtype(at::kBFloat16);
    at::autocast::set_cpu_enabled(on);
  }
}

}  // namespace

MixedPrecision::MixedPrecision(bool on, const ComputeDevice& device)
    : on_(on), cuda_(device.cuda) {
  if (!on_) return;
  at::autocast::increment_nesting();
  Switch(cuda_, true);
}

void MixedPrecision::End() {
  if (!on_) return;
  on_ = false;
  Switch(cuda_, false);
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
}

}  // namespace hilum
