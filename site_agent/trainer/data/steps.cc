// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/data/steps.h"

#include <algorithm>

#include "common/config/step_plan.h"
#include "common/config/study.h"

namespace hilum {

size_t StepsOfEpoch(const v1::Study& study, size_t cases, size_t batch_size) {
  const size_t whole = cases / batch_size, rest = cases % batch_size;
  if (!IsSegmentation(study)) return whole + (rest > 0);
  return whole + (rest > 0 && (2 * rest >= batch_size || whole == 0));
}

size_t BatchSizeFor(const v1::Study& study, size_t cases,
                    uint32_t minimum_steps) {
  if (HasLocalSteps(study)) {
    return cases == 0 ? 0 : study.training().batch_size();
  }
  const size_t epochs = study.training().local_epochs();
  const auto is_enough = [&](size_t size) {
    return epochs * StepsOfEpoch(study, cases, size) >= minimum_steps;
  };
  size_t size = study.training().batch_size();
  if (is_enough(size)) return size;
  if (epochs * cases < minimum_steps) return 0;
  size = std::min(size, std::max<size_t>(1, cases * epochs / minimum_steps));
  // A smaller batch can give fewer steps where a last batch is left out.
  while (size > 1 && !is_enough(size)) --size;
  return size;
}

}  // namespace hilum
