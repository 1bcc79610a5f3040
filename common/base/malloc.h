// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_BASE_MALLOC_H_
#define HILUM_COMMON_BASE_MALLOC_H_

namespace hilum {

// For processes through whose many threads chunks of megabytes pass: few
// arenas keep the peak near what is used, and blocks of a chunk's size stay
// with the process, since new pages for each would cost as much as its bytes'
// encryption. Called first in main.
void TuneMallocForChunks();

// For processes that train: one arena, and what a step has freed stays for the
// next step, which needs the same again. Called first in main.
void TuneMallocForTraining();

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_MALLOC_H_
