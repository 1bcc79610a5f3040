// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_IMAGING_DICOM_ISOLATED_H_
#define HILUM_SITE_AGENT_IMAGING_DICOM_ISOLATED_H_

#include <cstddef>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace hilum {

// Runs `work` in a child process and appends the `size` bytes that it writes to
// `out`. For decoders that abort on damaged input. The child is silent, ends
// with its parent and has a minute of CPU time. `work` may allocate memory, but
// may take no lock that another thread may hold. INVALID_ARGUMENT: the child
// crashed. RESOURCE_EXHAUSTED: no child or no memory. Otherwise the status of
// `work`, with the first 200 bytes of its message.
absl::Status RunIsolated(size_t size,
                         absl::FunctionRef<absl::Status(char*)> work,
                         std::string& out);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_IMAGING_DICOM_ISOLATED_H_
