// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/learning/schedule.h"

#include <algorithm>
#include <cmath>

namespace hilum {

double RateFactor(const v1::Training& training, double t) {
  constexpr double kPi = 3.14159265358979323846;
  const v1::Schedule& schedule = training.schedule();
  const double warmup = schedule.warmup_rounds();
  if (t < warmup) return t / warmup;
  const double length = training.rounds() - warmup;
  switch (schedule.kind()) {
    case v1::Schedule::KIND_COSINE: {
      const double done = length > 0 ? std::min(1.0, (t - warmup) / length) : 1;
      const double last = schedule.final_fraction();
      return last + (1 - last) * (1 + std::cos(kPi * done)) / 2;
    }
    case v1::Schedule::KIND_STEP:
      return std::pow(schedule.step_factor(),
                      std::floor((t - warmup) / schedule.step_rounds()));
    default:
      return 1;
  }
}

double StepRateFactor(const v1::Training& training, const StepPlace& place) {
  const double steps = static_cast<double>(place.steps);
  const double done = place.epoch + static_cast<double>(place.step) / steps;
  const double epochs = std::max(training.local_epochs(), 1u);
  double at = place.round - 1 + done / epochs;
  if (at < training.schedule().warmup_rounds()) at += 1 / steps / epochs;
  return RateFactor(training, at);
}

}  // namespace hilum
