// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_BASE_MALLOC_H_
#define HILUM_COMMON_BASE_MALLOC_H_

namespace hilum {

// Tunes malloc for processes that move chunks of megabytes through many
// threads. Few arenas keep the peak near the used memory. Freed blocks of a
// chunk's size stay in the process, since new pages for each would cost as much
// time as encrypting its bytes. Call first in main.
void TuneMallocForChunks();

// Tunes malloc for processes that train: one arena, and memory that a step has
// freed stays for the next step, which needs as much again. Call first in main.
void TuneMallocForTraining();

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_MALLOC_H_
