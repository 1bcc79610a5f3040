// SPDX-License-Identifier: Apache-2.0
// How many files and sockets this process may have open (RLIMIT_NOFILE).
#ifndef HILUM_COMMON_BASE_DESCRIPTORS_H_
#define HILUM_COMMON_BASE_DESCRIPTORS_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hilum {

// Raises the soft limit as far as the hard one, and returns it. Call at the
// start of a program that runs for long: shells start programs with a soft
// limit of 1024, whatever they may have.
size_t RaiseDescriptorLimit();

// Returns the soft limit as it stands.
size_t DescriptorLimit();

// RESOURCE_EXHAUSTED: fewer than `needed` descriptors may be open; the message
// has `what` needs them, both numbers and how to raise the limit.
absl::Status CheckDescriptors(size_t needed, absl::string_view what);

}  // namespace hilum

#endif  // HILUM_COMMON_BASE_DESCRIPTORS_H_
