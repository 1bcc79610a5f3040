// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_IMAGING_DICOM_ISOLATED_H_
#define HILUM_SITE_AGENT_IMAGING_DICOM_ISOLATED_H_

#include <cstddef>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace hilum {

// Runs `work` in a child process and appends the `size` bytes that it writes to
// what it is given to `out`: for decoders that end the process over damaged
// input. The child is silent, ends with its parent and has a minute of CPU
// time. `work` may take memory, but no lock that another thread may hold.
// INVALID_ARGUMENT: the child ended otherwise. RESOURCE_EXHAUSTED: no child or
// no memory. Else what `work` returns, with the first 200 bytes of its message.
absl::Status RunIsolated(size_t size,
                         absl::FunctionRef<absl::Status(char*)> work,
                         std::string& out);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_ISOLATED_H_
