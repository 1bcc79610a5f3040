// SPDX-License-Identifier: Apache-2.0
// Limits of open files and sockets in this process (RLIMIT_NOFILE).
#ifndef HILUM_COMMON_BASE_DESCRIPTORS_H_
#define HILUM_COMMON_BASE_DESCRIPTORS_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hilum {

// Raises the soft limit to the hard one, and returns it. Call at the start of a
// program that runs for long: shells start programs with a soft limit of 1024,
// even where the hard limit is higher.
size_t RaiseDescriptorLimit();

// Returns the present soft limit.
size_t DescriptorLimit();

// Checks that `needed` descriptors may be open. RESOURCE_EXHAUSTED: fewer are
// allowed; the message has `what` needs them, both numbers and how to raise the
// limit.
absl::Status CheckDescriptors(size_t needed, absl::string_view what);

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_DESCRIPTORS_H_
