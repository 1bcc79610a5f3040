// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SIM_FOR_EACH_H_
#define HILUM_SIM_FOR_EACH_H_

#include <cstddef>
#include <functional>

#include "absl/status/status.h"

namespace hilum {

// Calls `run` with 0 .. count-1, each once, from up to `threads` >= 1 threads
// at a time. After an error no further call starts; of several errors the one
// with the lowest number is returned.
absl::Status ForEach(size_t count, int threads,
                     const std::function<absl::Status(size_t)>& run);

}  // namespace hilum

#endif  // HILUM_SIM_FOR_EACH_H_
