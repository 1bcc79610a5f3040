// SPDX-License-Identifier: Apache-2.0
#include "common/base/malloc.h"

#include <malloc.h>

namespace hilum {

void TuneMallocForChunks() {
  mallopt(M_ARENA_MAX, 2);
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 16 << 20);
}

void TuneMallocForTraining() {
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

}  // namespace hilum
