// SPDX-License-Identifier: Apache-2.0
#include "common/base/malloc.h"

#include <malloc.h>

#include <limits>

namespace hilum {

void TuneMallocForChunks() {
  mallopt(M_ARENA_MAX, 2);
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 16 << 20);
}

void TuneMallocForTraining() {
  mallopt(M_ARENA_MAX, 1);
  // Gives no allocation a mapping of its own, which free would return to the
  // kernel: new pages for a step's activations cost several per cent of the
  // step.
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
}

}  // namespace hilum
