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
  // Nothing of its own mapping, which would go back to the kernel when freed:
  // new pages for a step's activations cost several per cent of the step.
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
}

}  // namespace hilum
